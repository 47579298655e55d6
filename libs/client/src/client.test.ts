import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { afterEach, expect, it } from 'vitest';
import { Client } from './client.ts';

type Answer = (request: IncomingMessage, response: ServerResponse, body: string) => void;

let server: Server | undefined;
const requests: {
  method: string;
  url: string;
  key: string | undefined;
  authorization: string | undefined;
  body: string;
}[] = [];

/** A client of a real server that gives the answers in turn, the last one for ever. */
async function clientOf(...answers: Answer[]): Promise<Client> {
  server = createServer(async (request, response) => {
    const body = await text(request);
    const { authorization, 'idempotency-key': key } = request.headers;
    requests.push({
      method: request.method ?? '',
      url: request.url ?? '',
      key: key as string | undefined,
      authorization,
      body,
    });
    (answers.length > 1 ? answers.shift() : answers[0])?.(request, response, body);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  return new Client({ baseUrl: `http://127.0.0.1:${port}`, apiKey: 'es_key' });
}

afterEach(() => {
  server?.closeAllConnections();
  server?.close();
  requests.length = 0;
});

const json =
  (body: object, status = 200): Answer =>
  (_request, response) =>
    void response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
const problem = (status: number, code: string) =>
  json({ status, code, detail: `it is ${code}`, title: code }, status);
const transcript = (status: string, more: object = {}) =>
  json({ id: 'id-1', status, text: '', error: null, ...more });

it('sends the bytes and options of a recording as a form, with its key and the API key', async () => {
  const client = await clientOf(json({ id: 'id-1', status: 'queued', warnings: [], links: {} }, 202));
  const submitted = await client.recordings.create({
    file: new Blob(['sound']),
    session_id: 's',
    metadata: { a: 1 },
  });
  expect(submitted.id).toBe('id-1');
  const [request] = requests;
  expect(request?.authorization).toBe('Bearer es_key');
  expect(request?.key).toMatch(/^[0-9a-f-]{36}$/);
  for (const part of ['name="file"', 'sound', 'name="session_id"', '{"a":1}'])
    expect(request?.body).toContain(part);
});

it('repeats a submission with the same key while the service is away', async () => {
  const client = await clientOf(
    (request) => void request.socket.destroy(),
    problem(503, 'unavailable'),
    json({ id: 'id-1', status: 'queued', warnings: [], links: {} }, 202),
  );
  await client.recordings.create({ uri: 'default/a.wav' });
  expect(requests).toHaveLength(3);
  expect(new Set(requests.map((request) => request.key)).size).toBe(1);
});

it('takes an answer that breaks off in its middle for none', async () => {
  const brokenOff: Answer = (_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': 1_000 });
    response.write('{"id":"id-1"', () => response.destroy());
  };
  const client = await clientOf(brokenOff, transcript('completed'));
  expect((await client.transcripts.get('id-1')).status).toBe('completed');
  expect(requests).toHaveLength(2);
});

it.each(['recover', 'rebuild'] as const)('does not %s beside one that goes on unheard', async (what) => {
  const client = await clientOf((_request, response) => void response.destroy());
  await expect(client[what]()).rejects.toMatchObject({ code: 'unreachable' });
  expect(requests).toHaveLength(1);
});

it('does not repeat what the caller got wrong, and throws its code', async () => {
  const client = await clientOf(
    json({ status: 422, code: 'not_audio', detail: 'a text', title: 't', errors: ['/file is text'] }, 422),
  );
  await expect(client.recordings.create({ uri: 'a' })).rejects.toMatchObject({
    code: 'not_audio',
    status: 422,
    retryable: false,
    errors: ['/file is text'],
  });
  expect(requests).toHaveLength(1);
});

it('says that nobody answers', async () => {
  const client = new Client({ baseUrl: 'http://127.0.0.1:1', retries: 0 });
  await expect(client.transcripts.get('id-1')).rejects.toMatchObject({ code: 'unreachable', status: 0 });
});

it('waits for a final state and tells of each state on the way', async () => {
  const client = await clientOf(
    transcript('queued'),
    transcript('processing'),
    transcript('waiting_quota'),
    transcript('completed', { text: 'hi' }),
  );
  const seen: string[] = [];
  const result = await client.transcripts.wait('id-1', {
    intervalMs: 1,
    onProgress: ({ status }) => seen.push(status),
  });
  expect(result.text).toBe('hi');
  expect(seen).toEqual(['queued', 'processing', 'waiting_quota', 'completed']);
});

it('rejects a wait for a transcript that failed, with its code', async () => {
  const client = await clientOf(transcript('failed', { error: { code: 'corrupt', detail: 'damaged' } }));
  await expect(client.transcripts.wait('id-1')).rejects.toMatchObject({
    code: 'corrupt',
    transcriptId: 'id-1',
  });
});

it('stops waiting when it is told to', async () => {
  const client = await clientOf(transcript('processing'));
  const stop = new AbortController();
  const waiting = client.transcripts.wait('id-1', {
    signal: stop.signal,
    intervalMs: 60_000,
    onProgress: () => setImmediate(() => stop.abort(new Error('enough'))),
  });
  await expect(waiting).rejects.toThrow('enough');
});

it('lists page by page with the cursor it was given', async () => {
  const client = await clientOf(
    json({ data: [{ id: '1' }, { id: '2' }], next_cursor: 'c' }),
    json({ data: [{ id: '3' }], next_cursor: null }),
  );
  const ids: string[] = [];
  for await (const item of client.transcripts.list({ status: 'completed' })) ids.push(item.id);
  expect(ids).toEqual(['1', '2', '3']);
  expect(requests.map((request) => request.url)).toEqual([
    '/v1/transcripts?status=completed',
    '/v1/transcripts?status=completed&cursor=c',
  ]);
});

it.each([
  ['a cancel', 'POST /v1/transcripts/a%2Fb/cancel ', (c: Client) => c.transcripts.cancel('a/b')],
  ['a retry', 'POST /v1/transcripts/id-1/retry ', (c: Client) => c.transcripts.retry('id-1')],
  ['a dead letter', 'GET /v1/dead-letters/7 ', (c: Client) => c.deadLetters.get(7)],
  ['a replay', 'POST /v1/dead-letters/7/replay ', (c: Client) => c.deadLetters.replay(7)],
  ['a discard', 'POST /v1/dead-letters/7/discard ', (c: Client) => c.deadLetters.discard(7)],
  [
    'a replay of many',
    'POST /v1/dead-letters/replay {"code":"engine_error"}',
    (c: Client) => c.deadLetters.replayAll({ code: 'engine_error' }),
  ],
  [
    'a discard of many',
    'POST /v1/dead-letters/discard {"all":true}',
    (c: Client) => c.deadLetters.discardAll({ all: true }),
  ],
  ['the lanes', 'GET /v1/lanes ', (c: Client) => c.lanes.list()],
  [
    'a pause',
    'PATCH /v1/lanes/chunk-sherpa-low {"paused":true}',
    (c: Client) => c.lanes.change('chunk-sherpa-low', { paused: true }),
  ],
  [
    'a cap',
    'PUT /v1/engines/sherpa {"max_ack_pending":8}',
    (c: Client) => c.engines.change('sherpa', { max_ack_pending: 8 }),
  ],
  ['the workers', 'GET /v1/workers ', (c: Client) => c.workers.list()],
  ['new children everywhere', 'POST /v1/workers/restart-pool ', (c: Client) => c.workers.restartPool()],
  ['new children', 'POST /v1/workers/w-1/restart-pool ', (c: Client) => c.workers.restartPool('w-1')],
  ['a rebuild', 'POST /v1/rebuild ', (c: Client) => c.rebuild()],
  ['a recovery', 'POST /v1/recover ', (c: Client) => c.recover()],
] as const)('asks for %s', async (_what, expected, ask) => {
  const client = await clientOf(json({ data: [] }));
  await ask(client);
  const [{ method, url, body } = { method: '', url: '', body: '' }] = requests;
  expect(`${method} ${url} ${body}`).toBe(expected);
});

it('lists dead letters page by page', async () => {
  const client = await clientOf(
    json({ data: [{ id: 2 }], next_cursor: 'c' }),
    json({ data: [{ id: 1 }], next_cursor: null }),
  );
  const ids: number[] = [];
  for await (const { id } of client.deadLetters.list({ state: 'open' })) ids.push(id);
  expect(ids).toEqual([2, 1]);
  expect(requests[1]?.url).toBe('/v1/dead-letters?state=open&cursor=c');
});

it('asks for usage with what was given, and gives all its pages', async () => {
  const page = (key: string, next_cursor: string | null) =>
    json({ data: [{ tenant_id: 'acme', key, chunks: 1, audio_ms: 1, billed_ms: 2 }], next_cursor });
  const client = await clientOf(page('2026-11-01', 'more'), page('2026-11-02', null));
  const keys: string[] = [];
  const filter = { from: '2026-11-01', to: undefined, tenant: 'acme' };
  for await (const { key } of client.usage.list(filter)) keys.push(key);
  expect(keys).toEqual(['2026-11-01', '2026-11-02']);
  await client.usage.get({ ...filter, limit: 1 });
  await client.usage.check({ tenant: 'acme' }, true);
  expect(requests.map(({ method, url }) => `${method} ${url}`)).toEqual([
    'GET /v1/usage?from=2026-11-01&tenant=acme',
    'GET /v1/usage?from=2026-11-01&tenant=acme&cursor=more',
    'GET /v1/usage?from=2026-11-01&tenant=acme&limit=1',
    'POST /v1/usage/differences?tenant=acme',
  ]);
});
