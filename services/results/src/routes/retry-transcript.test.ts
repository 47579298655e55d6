import { randomUUID } from 'node:crypto';
import { type ChunkJob, chunkJob, type Manifest, type SplitJob, splitJob } from '@earshot/contracts';
import { transcriptId } from '@earshot/intake';
import { storageKeys } from '@earshot/storage';
import { eventually } from '@earshot/testkit';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { CHUNK_MS, factsOf, manifestOf } from '../../test/facts.ts';
import { type ResultsFixture, resultsFixture, routesFixture } from '../../test/fixture.ts';

let results: ResultsFixture;
let http: Awaited<ReturnType<typeof routesFixture>>;
beforeAll(async () => {
  results = await resultsFixture();
  http = await routesFixture(results);
});
afterAll(async () => {
  await http.server.close();
  await results.close();
});
beforeEach(() => {
  http.publisher.fail = false;
});

const retry = (id: string, who = 'default') =>
  http.post(`/v1/transcripts/${id}/retry`, { authorization: `Bearer ${who}` });
const get = async (id: string) => (await http.get(`/v1/transcripts/${id}`)).json();

/** The jobs of a transcript at the broker, once there are `count` of them. */
async function jobsOf(id: string, count: number): Promise<(ChunkJob | SplitJob)[]> {
  const jobs = () => [...http.publisher.queue.values()].filter(({ subject }) => subject.includes(id));
  await eventually(`${count} jobs`, () => jobs().length >= count);
  return jobs().map(({ subject, event }) => (subject.includes('.split.') ? splitJob : chunkJob).read(event));
}

async function partial() {
  const facts = factsOf();
  await http.handle([facts.accepted({ lane: 'high', options: { language: 'en' } }), facts.split(4)]);
  await http.handle([facts.chunk(0, 'a'), facts.gaveUp(1), facts.chunk(2, 'c'), facts.gaveUp(3)]);
  expect(await get(facts.id)).toMatchObject({ status: 'partial', revision: 1 });
  return facts;
}

describe('retry of a partial transcript', () => {
  it('goes on in the trace of the recording', async () => {
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    const facts = factsOf();
    await http.handle([{ ...facts.accepted(), traceparent }, facts.split(1), facts.gaveUp(0)]);
    await retry(facts.id);
    await jobsOf(facts.id, 1);
    const jobs = [...http.publisher.queue.values()].filter(({ subject }) => subject.includes(facts.id));
    expect(jobs.map((job) => job.traceparent)).toEqual([traceparent]);
  });

  it('sends only its missing chunks round again, in the next generation, and ends completed', async () => {
    const facts = await partial();
    const { statusCode, json } = await retry(facts.id);
    expect([statusCode, json()]).toMatchObject([
      202,
      { status: 'processing', error: null, completed_at: null },
    ]);
    const chunk = { plan: 1, generation: 1, attempt: 1, engine: 'sherpa', lane: 'high', language: 'en' };
    expect(await jobsOf(facts.id, 2)).toMatchObject([
      { ...chunk, n: 1, key: `default/${facts.id}/chunks/1-1-x`, start_ms: CHUNK_MS, end_ms: 2 * CHUNK_MS },
      { ...chunk, n: 3, channels: 'auto' },
    ]);
    expect(await get(facts.id)).toMatchObject({ status: 'processing', text: 'a c', coverage: { gaps: [] } });
    await http.handle([facts.chunk(1, 'b', { generation: 1 })]);
    expect(await get(facts.id)).toMatchObject({ status: 'processing', progress: { chunks_done: 3 } });
    await http.handle([facts.chunk(3, 'd', { generation: 1 })]);
    expect(await get(facts.id)).toMatchObject({ status: 'completed', revision: 2, text: 'a b c d' });
  });

  it('changes nothing when it is repeated', async () => {
    const facts = await partial();
    const answers = [await retry(facts.id), ...(await Promise.all([retry(facts.id), retry(facts.id)]))];
    expect(answers.map(({ statusCode }) => statusCode)).toEqual([202, 202, 202]);
    const jobs = await jobsOf(facts.id, 2);
    expect(jobs.map(({ generation }) => generation)).toEqual([1, 1]);
    await eventually('the jobs to be noted', async () => (await openReplays(facts.id)) === 0);
    expect(
      http.publisher.published.filter(
        ({ subject }) => subject.includes(facts.id) && subject.startsWith('jobs'),
      ),
    ).toHaveLength(2);
  });

  it('tells a new final fact when the outcome is the same, and late copies of old give-ups tell nothing', async () => {
    const facts = await partial();
    await retry(facts.id);
    await http.handle([facts.gaveUp(1), facts.gaveUp(3)]);
    expect(await get(facts.id)).toMatchObject({ status: 'processing' });
    await http.handle([facts.gaveUp(1, { generation: 1 })]);
    expect(await get(facts.id)).toMatchObject({ status: 'processing' });
    await http.handle([facts.gaveUp(3, { generation: 1 }), facts.gaveUp(3, { generation: 1 })]);
    expect(await get(facts.id)).toMatchObject({
      status: 'partial',
      revision: 2,
      error: { code: 'engine_error' },
    });
    const outbox = await results.query(
      'SELECT type, revision FROM outbox WHERE transcript_id = $1 ORDER BY id',
      [facts.id],
    );
    expect(outbox).toEqual([
      { type: 'partial', revision: 1 },
      { type: 'partial', revision: 2 },
    ]);
  });

  it('is followed by cancel, and then nothing leads back', async () => {
    const facts = await partial();
    await retry(facts.id);
    expect((await http.post(`/v1/transcripts/${facts.id}/cancel`)).json()).toMatchObject({ revision: 2 });
    await http.handle([facts.chunk(1), facts.chunk(3)]);
    expect(await get(facts.id)).toMatchObject({ status: 'canceled', text: 'a c' });
    expect((await retry(facts.id)).statusCode).toBe(409);
  });
});

const openReplays = async (id: string) =>
  (await results.query('SELECT FROM replays WHERE transcript_id = $1 AND finished_at IS NULL', [id])).length;

describe('retry of a failed transcript', () => {
  it('whose recording was never cut sends the split job', async () => {
    const facts = factsOf();
    const accepted_at = '2026-11-23T10:00:00.000Z';
    await http.handle([
      facts.accepted({ options: { channels: 'separate' } }),
      facts.gaveUp(0, { stage: 'split' }),
    ]);
    expect((await retry(facts.id)).json()).toMatchObject({ status: 'processing' });
    expect(await jobsOf(facts.id, 1)).toEqual([
      {
        ...{ tenant_id: 'default', transcript_id: facts.id, plan: 1, generation: 1, attempt: 1 },
        ...{
          engine: 'sherpa',
          lane: 'normal',
          channels: 'separate',
          key: `default/${facts.id}/bytes/0`,
          accepted_at,
        },
      },
    ]);
    await http.handle([facts.split(2, { generation: 1 }), facts.gaveUp(0, { generation: 1 })]);
    expect(await get(facts.id)).toMatchObject({ status: 'processing' });
    await http.handle([facts.chunk(1, 'b', { generation: 1 })]);
    expect(await get(facts.id)).toMatchObject({ status: 'partial', revision: 2 });
  });

  it('that fails to be cut again fails again, with a new revision', async () => {
    const facts = factsOf();
    await http.handle([facts.accepted(), facts.gaveUp(0, { stage: 'split' })]);
    await retry(facts.id);
    await http.handle([facts.gaveUp(0, { stage: 'split', generation: 1, code: 'corrupt' })]);
    expect(await get(facts.id)).toMatchObject({ status: 'failed', revision: 2, error: { code: 'corrupt' } });
  });

  it('whose `accepted` fact never came uses the manifest', async () => {
    const facts = factsOf();
    const manifest = manifestOf(facts.accepted());
    await results.storage.put(
      storageKeys('default', facts.id).manifest,
      Buffer.from(JSON.stringify(manifest)),
    );
    await http.handle([facts.split(1), facts.gaveUp(0)]);
    expect((await retry(facts.id)).json()).toMatchObject({ status: 'processing', engine: 'sherpa' });
    expect(await jobsOf(facts.id, 1)).toMatchObject([{ n: 0, generation: 1 }]);
  });
});

describe('retry of an upload event that was given up on', () => {
  const upload = (data: object, event_id: string = randomUUID()) => {
    const event = {
      specversion: '1.0',
      type: 'earshot.recording.uploaded.v1',
      source: 'test',
      id: event_id,
      data,
    };
    const facts = factsOf(transcriptId('default', 'test', event_id));
    const job = { subject: 'uploads.default', headers: {}, event };
    const gaveUp = (code: string) =>
      facts.gaveUp(0, { stage: 'accept', plan: 0, code, session_id: 's', job });
    return { ...facts, gaveUp };
  };

  it('accepts it now when that became possible', async () => {
    const facts = upload({ uri: 'default/in/a.wav', engine: 'late', session_id: 's', metadata: { a: 1 } });
    await http.handle([facts.gaveUp('unknown_engine')]);
    const refused = await retry(facts.id);
    expect([refused.statusCode, refused.json().detail]).toEqual([
      409,
      expect.stringContaining('no engine named late'),
    ]);
    expect(await get(facts.id)).toMatchObject({ status: 'failed', revision: 1 });
    http.engines.names.add('late');
    expect((await retry(facts.id)).json()).toMatchObject({ status: 'processing', engine: 'late' });
    expect(await jobsOf(facts.id, 1)).toMatchObject([
      { key: 'default/in/a.wav', generation: 1, engine: 'late' },
    ]);
    const manifest = await results.storage.read(storageKeys('default', facts.id).manifest);
    expect(JSON.parse(manifest?.toString() ?? '{}') as Manifest).toMatchObject({
      event_id: expect.any(String),
      engine: 'late',
    });
    await http.handle([facts.gaveUp('unknown_engine'), facts.split(1), facts.chunk(0, 'heard')]);
    expect(await get(facts.id)).toMatchObject({
      status: 'completed',
      text: 'heard',
      session_id: 's',
      metadata: { a: 1 },
    });
  });

  it.each([
    ['is wrong', { uri: 'default/in/a.wav', priority: 'urgent' }],
    ['points outside its tenant', { uri: 'other/in/a.wav' }],
    ['points where nothing can be read from', { uri: 'gs://bucket/a.wav' }],
  ])('answers 409 while it %s', async (_, data) => {
    const facts = upload(data);
    await http.handle([facts.gaveUp('invalid_event')]);
    const { statusCode, json } = await retry(facts.id);
    expect([statusCode, json().detail]).toEqual([409, expect.stringContaining('given up on again')]);
    expect(await get(facts.id)).toMatchObject({ status: 'failed', revision: 1 });
  });

  it.each([
    ['was too large to keep', { subject: 'uploads.default', payload_base64: 'e30=', truncated: true }],
    [
      'is another’s',
      { subject: 'uploads.default', event: { specversion: '1.0', type: 'x', source: 'x', id: 'x' } },
    ],
    ['was never readable', { subject: 'uploads.default', payload_base64: '/w==' }],
    ['was not kept', undefined],
  ])('answers 409 when it %s', async (_, job) => {
    const facts = factsOf();
    await http.handle([facts.gaveUp(0, { stage: 'accept', plan: 0, ...(job ? { job } : {}) })]);
    expect((await retry(facts.id)).statusCode).toBe(409);
  });
});

describe('retry is refused', () => {
  it('with 409 for what is completed, and for a gap that no work can fill', async () => {
    const [done, short] = [factsOf(), factsOf()];
    await http.handle([done.accepted(), done.split(1), done.chunk(0)]);
    await http.handle([
      short.accepted(),
      short.split(1, { truncated: true, code: 'corrupt' }),
      short.chunk(0),
    ]);
    expect((await retry(done.id)).json().detail).toContain('completed');
    const { statusCode, json } = await retry(short.id);
    expect([statusCode, json().detail]).toEqual([409, expect.stringContaining('every chunk has its result')]);
    expect(await get(short.id)).toMatchObject({ status: 'partial', revision: 1 });
  });

  it('with 409 when its engine is gone, for its jobs would wait for ever', async () => {
    const facts = factsOf();
    await http.handle([facts.accepted({ engine: 'retired' }), facts.split(1), facts.gaveUp(0)]);
    const { statusCode, json } = await retry(facts.id);
    expect([statusCode, json().detail]).toEqual([409, expect.stringContaining('no engine named retired')]);
    expect(await get(facts.id)).toMatchObject({ status: 'failed', revision: 1 });
  });

  it('with 410 for a deleted one, 404 for strangers, 403 without the scope write', async () => {
    const facts = await partial();
    expect((await retry(facts.id, 'stranger')).statusCode).toBe(404);
    expect((await retry(randomUUID())).statusCode).toBe(404);
    expect((await retry(facts.id, 'default/operate')).statusCode).toBe(403);
    await results.query("UPDATE transcripts SET status = 'deleted' WHERE id = $1", [facts.id]);
    expect((await retry(facts.id)).statusCode).toBe(410);
  });

  it('with no change for a transcript that waits for its first fact', async () => {
    const facts = factsOf();
    const { subject, event } = facts.accepted();
    if (event) http.facts.facts.set(subject, { subject, event, time: new Date() });
    const { statusCode, json } = await retry(facts.id);
    expect([statusCode, json().status]).toEqual([202, 'queued']);
  });
});
