import { type Accepted, factSubjects, type Manifest } from '@earshot/contracts';
import { storageKeys } from '@earshot/storage';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { factsOf } from '../../test/facts.ts';
import { type ResultsFixture, resultsFixture, routesFixture } from '../../test/fixture.ts';

let results: ResultsFixture;
let http: Awaited<ReturnType<typeof routesFixture>>;
let handle: ReturnType<ResultsFixture['replica']>['handle'];
beforeAll(async () => {
  results = await resultsFixture();
  http = await routesFixture(results);
  handle = results.replica().handle;
});
afterAll(async () => {
  await http.server.close();
  await results.close();
});

const path = (id: string, rest = '') => `/v1/transcripts/${id}${rest}`;

describe('GET /v1/transcripts/{id}', () => {
  it('shows the chunks that are ready while the rest is made, contiguous or not', async () => {
    const facts = factsOf();
    await handle([
      facts.accepted({ options: { session_id: 's', metadata: { z: 1, a: 'b' } } }),
      facts.split(4),
    ]);
    await handle([facts.chunk(2, 'third'), facts.chunk(0, 'first')]);
    const { statusCode, body } = await http.get(path(facts.id));
    expect(statusCode).toBe(200);
    expect(JSON.parse(body)).toMatchObject({
      id: facts.id,
      status: 'processing',
      text: 'first third',
      session_id: 's',
      engine: 'sherpa',
      priority: 'normal',
      created_at: '2026-11-23T10:00:00.000Z',
      completed_at: null,
      duration_ms: 240_000,
      progress: { ratio: 0.5, done_ms: 120_000, total_ms: 240_000, chunks_done: 2, chunks_total: 4 },
      coverage: { speech_ms: 60_000, gaps: [] },
      links: { self: path(facts.id), srt: path(facts.id, '.srt'), audio: path(facts.id, '/audio') },
    });
    expect(body).toContain('"metadata":{"z":1,"a":"b"}');
  });

  it('that waits for its engine says so, and until when, to who asks again too', async () => {
    const [waits, ends] = [factsOf(), factsOf()];
    const url = path(waits.id);
    await handle([waits.accepted({ engine: 'google' }), waits.split(2), waits.chunk(0, 'so far')]);
    await handle([ends.accepted({ engine: 'google' }), ends.split(1), ends.chunk(0, 'all')]);
    const etag = String((await http.get(url)).headers.etag);
    http.waiting.set('google', new Date('2026-11-27T00:00:00.000Z'));
    const again = await http.get(url, { 'if-none-match': etag });
    expect([again.statusCode, again.json()]).toMatchObject([
      200,
      {
        status: 'waiting_quota',
        waiting_until: '2026-11-27T00:00:00.000Z',
        text: 'so far',
        progress: { ratio: 0.5 },
      },
    ]);
    expect((await http.get(path(ends.id))).json()).toMatchObject({
      status: 'completed',
      waiting_until: null,
    });
    const canceled = await http.post(`${url}/cancel`);
    expect(canceled.json()).toMatchObject({ status: 'canceled', waiting_until: null });
    http.waiting.clear();
  });

  it('shows a finished one with its gaps and its reason', async () => {
    const facts = factsOf();
    await handle([facts.accepted(), facts.split(2), facts.chunk(0, 'only this'), facts.gaveUp(1)]);
    expect((await http.get(path(facts.id))).json()).toMatchObject({
      status: 'partial',
      text: 'only this',
      revision: 1,
      language: 'en',
      progress: { ratio: 1, chunks_done: 1, chunks_total: 2 },
      error: { code: 'engine_error', detail: 'The engine failed' },
      coverage: { gaps: [{ start_ms: 60_000, end_ms: 120_000, code: 'engine_error' }] },
      segments: [{ text: 'only this', words: [{ text: 'only' }, { text: 'this' }] }],
      utterances: [{ text: 'only this' }],
    });
  });

  it('names its trace, and where to look at it, as the first fact with a trace tells', async () => {
    const facts = factsOf();
    const trace = '0af7651916cd43dd8448eb211c80319c';
    await handle([facts.split(2)]);
    expect((await http.get(path(facts.id))).json()).toMatchObject({ trace_id: null, trace_url: null });
    await handle([{ ...facts.accepted(), traceparent: `00-${trace}-b7ad6b7169203331-01` }]);
    await handle([{ ...facts.chunk(0), traceparent: `00-${'1'.repeat(32)}-b7ad6b7169203331-01` }]);
    expect((await http.get(path(facts.id))).json()).toMatchObject({
      trace_id: trace,
      trace_url: `https://traces.test/${trace}`,
    });
  });

  it('answers 304 for a known version, and a new version after each change', async () => {
    const facts = factsOf();
    await handle([facts.accepted(), facts.split(2), facts.chunk(0)]);
    const first = await http.get(path(facts.id));
    const etag = String(first.headers.etag);
    expect((await http.get(path(facts.id), { 'if-none-match': `"x", ${etag}` })).statusCode).toBe(304);
    await handle([facts.chunk(0), facts.split(2)]);
    expect((await http.get(path(facts.id), { 'if-none-match': etag })).statusCode).toBe(304);
    await handle([facts.chunk(1)]);
    const changed = await http.get(path(facts.id), { 'if-none-match': etag });
    expect([changed.statusCode, changed.json().status]).toEqual([200, 'completed']);
  });

  it('does not show another tenant’s, in no form', async () => {
    const facts = factsOf();
    await handle([facts.accepted(), facts.split(1), facts.chunk(0)]);
    for (const rest of ['', '.json', '.txt', '.srt', '.vtt', '/audio']) {
      const { statusCode, json } = await http.get(path(facts.id, rest), { authorization: 'Bearer other' });
      expect([statusCode, json().code]).toEqual([404, 'not_found']);
    }
  });

  it.each(['nonsense', '%00', '..%2f..%2fetc', "1' OR '1'='1", '0'.repeat(90)])(
    'answers 404 for the id %s',
    async (id) => {
      const { statusCode, headers, json } = await http.get(path(encodeURI(id)));
      expect(statusCode).toBe(404);
      expect(headers['content-type']).toContain('application/problem+json');
      expect(json().code).toBe('not_found');
    },
  );

  it('answers 410 for a deleted one', async () => {
    const facts = factsOf();
    await handle([facts.accepted()]);
    await results.query("UPDATE transcripts SET status = 'deleted' WHERE id = $1", [facts.id]);
    expect((await http.get(path(facts.id))).statusCode).toBe(410);
  });
});

describe('a GET right after a 202', () => {
  const manifest = (id: string): Manifest => ({
    kind: 'recording',
    tenant_id: 'default',
    transcript_id: id,
    source: 'test',
    event_id: '1',
    uri: `default/${id}/bytes/1`,
    engine: 'sherpa',
    lane: 'high',
    channels: 'auto',
    options: { session_id: 'early' },
    warnings: [],
    created_at: '2026-11-23T09:00:00.000Z',
  });
  const put = (id: string, document: object) =>
    results.storage.put(storageKeys('default', id).manifest, Buffer.from(JSON.stringify(document)));

  it('finds the manifest', async () => {
    const { id } = factsOf();
    await put(id, manifest(id));
    const { statusCode, json } = await http.get(path(id));
    expect(statusCode).toBe(200);
    expect(json()).toMatchObject({ id, status: 'queued', session_id: 'early', priority: 'high', text: '' });
    expect((await http.get(path(id, '.txt'))).statusCode).toBe(200);
    expect((await http.get(path(id), { authorization: 'Bearer other' })).statusCode).toBe(404);
  });

  it('finds the accepted fact', async () => {
    const facts = factsOf();
    const { subject, event } = facts.accepted({ lane: 'low' });
    if (!event) throw new Error('no event');
    http.facts.facts.set(factSubjects('default', facts.id).accepted, { subject, event, time: new Date() });
    const { transcript_id } = event.data as Accepted;
    expect((await http.get(path(transcript_id))).json()).toMatchObject({ status: 'queued', priority: 'low' });
  });

  it('says that it cannot tell while the broker is away, unless the manifest tells', async () => {
    const { id } = factsOf();
    http.facts.fail = true;
    expect((await http.get(path(id))).statusCode).toBe(503);
    await put(id, manifest(id));
    expect((await http.get(path(id))).statusCode).toBe(200);
    http.facts.fail = false;
  });

  it('answers 410 when a tombstone is in the manifest’s place', async () => {
    const { id } = factsOf();
    await put(id, {
      kind: 'deleted',
      tenant_id: 'default',
      transcript_id: id,
      deleted_at: '2026-11-23T09:00:00Z',
    });
    expect((await http.get(path(id))).statusCode).toBe(410);
  });
});

describe('downloads', () => {
  it.each([
    ['txt', 'text/plain; charset=utf-8', 'It’s fine\n'],
    ['srt', 'application/x-subrip; charset=utf-8', '1\n00:00:00,000 --> 00:00:01,900\nIt’s fine\n\n'],
    ['vtt', 'text/vtt; charset=utf-8', 'WEBVTT\n\n00:00:00.000 --> 00:00:01.900\nIt’s fine\n\n'],
  ])('.%s', async (format, type, content) => {
    const facts = factsOf();
    await handle([facts.split(1), facts.chunk(0, 'It’s fine')]);
    const { headers, body } = await http.get(path(facts.id, `.${format}`));
    expect(headers['content-type']).toBe(type);
    expect(headers['content-disposition']).toBe(`attachment; filename="${facts.id}.${format}"`);
    expect(body).toBe(content);
  });

  it('.json is the document', async () => {
    const facts = factsOf();
    await handle([facts.accepted(), facts.split(1), facts.chunk(0)]);
    const [file, document] = [await http.get(path(facts.id, '.json')), await http.get(path(facts.id))];
    expect(file.json()).toEqual(document.json());
  });
});

describe('GET /v1/transcripts/{id}/audio', () => {
  const body = Buffer.from(`RIFF....WAVE${'0123456789'.repeat(10)}`);
  const stored = async () => {
    const facts = factsOf();
    await results.storage.put(`default/${facts.id}/bytes/0`, body);
    await handle([facts.accepted()]);
    return facts.id;
  };

  it('sends the recording with the type its bytes tell', async () => {
    const { statusCode, headers, rawPayload } = await http.get(path(await stored(), '/audio'));
    expect([statusCode, headers['content-type'], headers['accept-ranges']]).toEqual([
      200,
      'audio/wav',
      'bytes',
    ]);
    expect(rawPayload).toEqual(body);
  });

  it.each([
    ['bytes=4-7', 206, 'bytes 4-7/112', body.subarray(4, 8)],
    ['bytes=100-', 206, 'bytes 100-111/112', body.subarray(100)],
    ['bytes=-5', 206, 'bytes 107-111/112', body.subarray(107)],
    ['bytes=100-9999', 206, 'bytes 100-111/112', body.subarray(100)],
    ['bytes=112-', 416, 'bytes */112', Buffer.alloc(0)],
    ['bytes=7-4', 200, undefined, body],
    ['lines=1-2', 200, undefined, body],
  ])('answers the range %s', async (range, status, contentRange, content) => {
    const { statusCode, headers, rawPayload } = await http.get(path(await stored(), '/audio'), { range });
    expect([statusCode, headers['content-range']]).toEqual([status, contentRange]);
    expect(rawPayload).toEqual(content);
  });

  it('answers 404 when the bytes are gone', async () => {
    const facts = factsOf();
    await handle([facts.accepted()]);
    expect((await http.get(path(facts.id, '/audio'))).statusCode).toBe(404);
  });

  it('refuses a key outside the tenant', async () => {
    const facts = factsOf();
    await handle([facts.accepted({ key: 'other/secret' })]);
    expect((await http.get(path(facts.id, '/audio'))).statusCode).toBe(403);
  });
});
