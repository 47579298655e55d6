import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { factsOf } from '../../test/facts.ts';
import { type ResultsFixture, resultsFixture } from '../../test/fixture.ts';
import type { ReceivedMessage } from './read-fact.ts';

let results: ResultsFixture;
beforeAll(async () => {
  results = await resultsFixture();
});
afterAll(() => results.close());

interface Letter {
  stage: string;
  n: number;
  code: string;
  payload: Buffer | null;
  evidence: { detail: string };
}

const lettersOf = (id: string) =>
  results.query<Letter>(
    'SELECT stage, n, code, payload, evidence FROM dead_letters WHERE transcript_id = $1 ORDER BY id',
    [id],
  );

const statusOf = async (id: string) =>
  (
    await results.query<{ status: string; text: string }>(
      'SELECT status, text FROM transcripts WHERE id = $1',
      [id],
    )
  )[0];

/** The same message with its data in storage, as facts above 256 KB are published. */
async function stored(message: ReceivedMessage, key: string, body?: string): Promise<ReceivedMessage> {
  if (!message.event) throw new Error('no event');
  const { data, ...event } = message.event;
  if (body !== '') await results.storage.put(key, Buffer.from(body ?? JSON.stringify(data)));
  const event_ = { ...event, dataref: key };
  return { ...message, event: event_, bytes: Buffer.from(JSON.stringify(event_)) };
}

describe('a message that the database refuses', () => {
  it('is kept, settles its place, and does not hold up its batch', async () => {
    const [bad, good] = [factsOf(), factsOf()];
    const poison = bad.chunk(1, 'NUL \0 here');
    const { handle } = results.replica();
    await handle([good.split(1), bad.split(2), poison, good.chunk(0, 'fine'), bad.chunk(0, 'kept')]);
    expect(await statusOf(good.id)).toEqual({ status: 'completed', text: 'fine' });
    expect(await statusOf(bad.id)).toEqual({ status: 'partial', text: 'kept' });
    const [letter] = await lettersOf(bad.id);
    expect(letter).toMatchObject({ stage: 'chunk', n: 1, code: 'unreadable_result' });
    expect(letter?.payload).toEqual(Buffer.from(poison.bytes));
  });

  it('is kept once, however often it comes', async () => {
    const bad = factsOf();
    const { handle } = results.replica();
    const poison = bad.chunk(0, '\0');
    await handle([poison, poison]);
    await handle([poison]);
    expect(await lettersOf(bad.id)).toHaveLength(1);
  });

  it('may be a number that is too large', async () => {
    const bad = factsOf();
    await results.replica().handle([bad.split(1, { duration_ms: 1e300 })]);
    expect(await lettersOf(bad.id)).toMatchObject([{ stage: 'split', code: 'unreadable_message' }]);
    expect((await statusOf(bad.id))?.status).toBe('failed');
  });
});

describe('a message that nobody can read', () => {
  it.each([
    ['no CloudEvent', (m: ReceivedMessage) => ({ ...m, event: undefined, bytes: Buffer.from('{') })],
    ['another type', (m: ReceivedMessage) => ({ ...m, event: { ...m.event, type: 'x.v9' } as never })],
    [
      'data that does not fit',
      (m: ReceivedMessage) => ({ ...m, event: { ...m.event, data: { n: -1 } } as never }),
    ],
    ['data of another chunk', (m: ReceivedMessage) => ({ ...m, subject: m.subject.replace(/0$/, '1') })],
  ])('%s: its chunk counts as given up', async (_, spoil) => {
    const facts = factsOf();
    const spoilt = spoil(facts.chunk(0, 'lost'));
    await results.replica().handle([spoilt]);
    const [letter] = await lettersOf(facts.id);
    expect(letter).toMatchObject({ stage: 'chunk', code: 'unreadable_result' });
    expect(letter?.payload).toEqual(Buffer.from(spoilt.bytes));
  });

  it('without a transcript in its subject is kept under no tenant', async () => {
    const message = { ...factsOf().accepted(), subject: 'transcripts.odd' };
    const { handle } = results.replica();
    await handle([message]);
    await handle([message]);
    const rows = await results.query(
      "SELECT FROM dead_letters WHERE subject = 'transcripts.odd' AND tenant_id IS NULL",
    );
    expect(rows).toHaveLength(1);
  });

  it('that is `accepted` does not fail the transcript: the work goes on', async () => {
    const facts = factsOf();
    const spoilt = { ...facts.accepted(), event: undefined };
    await results.replica().handle([spoilt, facts.split(1), facts.chunk(0, 'a')]);
    expect(await statusOf(facts.id)).toEqual({ status: 'completed', text: 'a' });
    expect(await lettersOf(facts.id)).toMatchObject([{ stage: 'message' }]);
  });

  it('under another tenant touches nothing of the first', async () => {
    const facts = factsOf();
    const intruder = factsOf(facts.id, 'other');
    const { handle } = results.replica();
    await handle([facts.accepted()]);
    await handle([intruder.split(1), intruder.chunk(0, 'theirs'), intruder.gaveUp(0, { stage: 'split' })]);
    expect((await statusOf(facts.id))?.status).toBe('queued');
    expect(await lettersOf(facts.id)).toEqual([]);
  });

  it('is our own final state: nothing to do', async () => {
    const facts = factsOf();
    const own = {
      ...facts.accepted(),
      subject: `transcripts.default.${facts.id}.completed`,
      event: undefined,
    };
    await results.replica().handle([own]);
    expect(await statusOf(facts.id)).toBeUndefined();
  });
});

describe('a give-up with bytes in its evidence that PostgreSQL does not take', () => {
  it('is kept with replacement characters', async () => {
    const facts = factsOf();
    const evidence = { detail: 'exit \0 \ud800', stderr_tail: '\0\0' };
    await results.replica().handle([facts.split(1), facts.gaveUp(0, { evidence, job: { key: 'a\0b' } })]);
    expect((await lettersOf(facts.id))[0]).toMatchObject({
      code: 'engine_error',
      evidence: { detail: 'exit � �' },
    });
    expect((await statusOf(facts.id))?.status).toBe('failed');
  });
});

describe('a fact whose data is in storage', () => {
  it('is read from there', async () => {
    const facts = factsOf();
    const large = await stored(facts.chunk(0, 'from storage'), `default/${facts.id}/facts/1`);
    await results.replica().handle([facts.split(1), large]);
    expect(await statusOf(facts.id)).toEqual({ status: 'completed', text: 'from storage' });
  });

  it.each([
    ['is gone', '', (id: string) => `default/${id}/facts/2`],
    ['is no JSON', '{', (id: string) => `default/${id}/facts/3`],
    ['is another tenant’s', '', () => 'other/secret'],
  ])('settles as unreadable_result when it %s', async (_, body, keyOf) => {
    const facts = factsOf();
    const large = await stored(facts.chunk(0), keyOf(facts.id), body);
    await results.replica().handle([facts.split(1), large]);
    expect(await lettersOf(facts.id)).toMatchObject([{ stage: 'chunk', n: 0, code: 'unreadable_result' }]);
    expect((await statusOf(facts.id))?.status).toBe('failed');
  });
});
