import { chunkJob } from '@earshot/contracts';
import { eventually } from '@earshot/testkit';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { factsOf } from '../../test/facts.ts';
import { type ResultsFixture, resultsFixture } from '../../test/fixture.ts';
import { chunkAgain } from '../actions/jobs-again.ts';
import { sendRound } from '../actions/send-round.ts';
import { loadRecordings } from '../store/sql/recordings.ts';

let results: ResultsFixture;
beforeAll(async () => {
  results = await resultsFixture();
});
afterAll(() => results.close());

/** A transcript whose only chunk was given up on and sent round again, and the job that is to go out. */
async function sentRound(facts = factsOf(), replica = results.replica({ leftOverAfterMs: 0 })) {
  await replica.handle([facts.accepted(), facts.split(1)]);
  const cut = { key: `default/${facts.id}/chunks/1-0-x`, start_ms: 0, end_ms: 60_000 };
  const { replays: rows } = await results.database.write(async (tx) => {
    const [recording] = await loadRecordings(tx, [facts.id]);
    if (!recording) throw new Error('no recording');
    return sendRound(tx, [chunkAgain(recording, 1, { n: 0, cut })], undefined);
  });
  const [replay] = rows;
  if (replay?.stage !== 'chunk') throw new Error('no replay');
  const message = chunkJob.create(replay.job as never, { source: 'test' });
  return { ...replica, facts, rows, message };
}

const open = async (id: string) =>
  (await results.query('SELECT FROM replays WHERE transcript_id = $1 AND finished_at IS NULL', [id])).length;

const olderCopy = (message: ReturnType<typeof chunkJob.create>) => ({
  ...message,
  event: { ...message.event, data: { ...(message.event.data as object), generation: 0 } },
});

it('brings jobs to the broker, and a second time changes nothing', async () => {
  const { replays: relay, facts, rows, publisher } = await sentRound();
  relay.take(rows);
  relay.take(rows);
  await eventually('the job to be noted', async () => (await open(facts.id)) === 0);
  expect(publisher.published.filter(({ subject }) => subject.startsWith('jobs.'))).toHaveLength(1);
  expect(await relay.sweep()).toBe(0);
});

it('waits for an older copy of the job to be acknowledged instead of taking it for its own', async () => {
  const { replays: relay, facts, rows, message, publisher } = await sentRound();
  publisher.queue.set(message.subject, olderCopy(message));
  const asked = publisher.asked;
  relay.take(rows);
  await eventually('the relay to see the older one', () => publisher.asked > asked);
  expect(await open(facts.id)).toBe(1);
  publisher.queue.delete(message.subject);
  await eventually('the job to be noted', async () => (await open(facts.id)) === 0);
  expect(publisher.queue.get(message.subject)?.event.data).toMatchObject({ generation: 1 });
});

it('leaves a job to the sweep while the broker is away, or when it stops', async () => {
  const { replays: relay, facts, rows, message, publisher } = await sentRound();
  publisher.fail = true;
  relay.take(rows);
  expect(await relay.sweep()).toBe(0);
  publisher.fail = false;
  publisher.queue.set(message.subject, olderCopy(message));
  relay.take(rows);
  await relay.close(5_000);
  expect(await open(facts.id)).toBe(1);
  publisher.queue.delete(message.subject);
  const other = results.replica({ leftOverAfterMs: 0 });
  await eventually('another replica to sweep it', async () => (await other.replays.sweep()) > 0);
  expect(other.publisher.queue.has(message.subject)).toBe(true);
  expect(await open(facts.id)).toBe(0);
});

it('removes what nobody can read from the place of the result, and nothing newer', async () => {
  const facts = factsOf();
  const replica = results.replica({ leftOverAfterMs: 0 });
  const bad = facts.chunk(0, '\0');
  await replica.handle([facts.split(1), bad]);
  const { replays: relay, rows, removed } = await sentRound(facts, replica);
  relay.take(rows);
  await eventually('the job to be noted', async () => (await open(facts.id)) === 0);
  const subjects = [bad.subject, bad.subject.replace('.chunk.', '.gave_up.chunk.')];
  expect(removed).toEqual(subjects.map((subject) => [subject, bad.seq]));
});

it('does not note a piece as sent that was sent round yet again meanwhile', async () => {
  const { replays: relay, facts, rows, publisher, message } = await sentRound();
  publisher.queue.set(message.subject, olderCopy(message));
  relay.take(rows);
  await results.query('UPDATE replays SET generation = 2 WHERE transcript_id = $1', [facts.id]);
  publisher.queue.delete(message.subject);
  await eventually('the older one to be sent', () => publisher.queue.has(message.subject));
  await relay.close(5_000);
  expect(await open(facts.id)).toBe(1);
});
