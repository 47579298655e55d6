import { eventually } from '@earshot/testkit';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { factsOf } from '../../test/facts.ts';
import { type ResultsFixture, resultsFixture } from '../../test/fixture.ts';

let results: ResultsFixture;
beforeAll(async () => {
  results = await resultsFixture();
});
afterAll(() => results.close());

const open = async (id: string) =>
  (await results.query('SELECT FROM outbox WHERE transcript_id = $1 AND finished_at IS NULL', [id])).length;

const keysUnder = async (prefix: string) => {
  const keys: string[] = [];
  for await (const { key } of results.storage.list(prefix)) keys.push(key);
  return keys;
};

it('publishes a final fact right after the commit, in the trace of the last piece', async () => {
  const facts = factsOf();
  const { handle, publisher } = results.replica();
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
  await handle([facts.accepted(), facts.split(1), { ...facts.chunk(0, 'a'), traceparent }]);
  await eventually('the outbox row to be finished', async () => (await open(facts.id)) === 0);
  expect(publisher.published).toMatchObject([
    {
      subject: `transcripts.default.${facts.id}.completed`,
      traceparent,
      event: {
        id: `${facts.id}.1.completed`,
        type: 'earshot.transcript.completed.v1',
        data: { revision: 1, status: 'completed', speech_ms: 30_000, duration_ms: 60_000, error: null },
      },
    },
  ]);
});

it('leaves what the broker did not take to a later sweep', async () => {
  const facts = factsOf();
  const { handle, relay, publisher } = results.replica({ leftOverAfterMs: 0 });
  publisher.fail = true;
  await handle([facts.split(1), facts.gaveUp(0)]);
  await relay.sweep();
  expect(await open(facts.id)).toBe(1);
  publisher.fail = false;
  await eventually('the sweep to publish it', async () => (await relay.sweep()) > 0);
  expect(publisher.published.map(({ subject }) => subject)).toEqual([
    `transcripts.default.${facts.id}.failed`,
  ]);
  expect(await relay.sweep()).toBe(0);
});

it('sweeps at one replica at a time', async () => {
  const [first, second] = [results.replica({ leftOverAfterMs: 0 }), results.replica({ leftOverAfterMs: 0 })];
  first.publisher.fail = true;
  const facts = Array.from({ length: 5 }, () => factsOf());
  for (const one of facts) await first.handle([one.split(0)]);
  await first.relay.close(5_000);
  await results.query(
    `INSERT INTO marks (name, holder, expires_at) VALUES ('outbox-sweep', 'somebody', now() + interval '1 hour')
     ON CONFLICT (name) DO UPDATE SET holder = EXCLUDED.holder, expires_at = EXCLUDED.expires_at`,
  );
  expect(await second.relay.sweep()).toBe(0);
  await results.query(
    "UPDATE marks SET expires_at = now() - interval '1 second' WHERE name = 'outbox-sweep'",
  );
  expect(await second.relay.sweep()).toBe(5);
});

it('deletes the chunks of a completed transcript and nothing else', async () => {
  const facts = factsOf();
  const root = `default/${facts.id}`;
  const kept = ['bytes/a', 'cuts/1-0', 'peaks/1'].map((key) => `${root}/${key}`);
  for (const key of [...kept, `${root}/chunks/1-0-x`, `${root}/chunks/1-1-y`]) {
    await results.storage.put(key, Buffer.from('x'));
  }
  const { handle } = results.replica();
  await handle([facts.split(2), facts.chunk(0), facts.gaveUp(1)]);
  await eventually('the partial fact to be out', async () => (await open(facts.id)) === 0);
  expect(await keysUnder(`${root}/chunks/`)).toHaveLength(2);
  await handle([facts.chunk(1)]);
  await eventually('the completed fact to be out', async () => (await open(facts.id)) === 0);
  expect(await keysUnder(`${root}/`)).toEqual(kept);
});

it('takes nothing more once it is closed', async () => {
  const facts = factsOf();
  const { handle, relay, publisher } = results.replica();
  await relay.close(1_000);
  await relay.close(1_000);
  await handle([facts.split(0)]);
  expect(publisher.published).toEqual([]);
  expect(await open(facts.id)).toBe(1);
});
