import { once } from 'node:events';
import { openAsBlob } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Client, TranscriptError } from '@earshot/client';
import { toProblem } from '@earshot/contracts';
import { CodedError } from '@earshot/domain';
import { eventually } from '@earshot/testkit';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { buildServices } from '../faults/build-services.ts';
import { Deployment, type Started } from './deployment.ts';
import { CONFIG, type Origin, startOrigin } from './origin.ts';
import { RawUpload, silentWav } from './raw-upload.ts';
import { readCompose } from './read-compose.ts';

const repository = join(import.meta.dirname, '../../../..');
const MB = 1024 * 1024;
const LIMIT_MB = 310;
const JSON_BODY = { 'content-type': 'application/json' };
let deployment: Deployment;
let services: Map<string, Started>;
let origin: Origin;
let client: Client;

beforeAll(async () => {
  await buildServices(repository);
  deployment = await Deployment.open(repository);
  const workloads = await readCompose(repository);
  services = await deployment.startAll(workloads, { EARSHOT_MAX_RECORDING_MB: String(LIMIT_MB) });
  const ports = { ingest: portOf('ingest'), results: portOf('results') };
  const config = await readFile(join(repository, CONFIG), 'utf8');
  origin = await startOrigin({ nginx: inject('nginx'), config, ports });
  client = new Client({ baseUrl: origin.url, apiKey: deployment.servers.apiKey, retries: 0 });
});
afterAll(async () => {
  await origin?.close();
  await deployment?.close();
});

const portOf = (name: string) => services.get(name)?.port ?? 0;
const ask = (path: string, init: RequestInit = {}) => {
  const headers = { authorization: `Bearer ${deployment.servers.apiKey}`, ...(init.headers as object) };
  return fetch(origin.url + path, { ...init, headers });
};

describe('over one origin', () => {
  it('a recording is submitted, read to its end, listed, rendered and heard in parts', async () => {
    const { sample } = deployment.servers;
    const submitted = await client.recordings.create({ file: await openAsBlob(sample), session_id: 's-1' });
    const transcript = await client.transcripts.wait(submitted.id);
    expect(transcript.text).toMatch(/^ever tried/i);
    const listed = [];
    for await (const one of client.transcripts.list({ session_id: 's-1' })) listed.push(one.id);
    expect(listed).toEqual([submitted.id]);
    expect(await client.transcripts.render(submitted.id, 'srt')).toMatch(/^1\n00:00:0/);

    const bytes = await readFile(sample);
    const whole = await ask(`${submitted.links.self}/audio`);
    expect(Buffer.from(await whole.arrayBuffer()).equals(bytes)).toBe(true);
    const part = await ask(`${submitted.links.self}/audio`, { headers: { range: 'bytes=100-199' } });
    expect([part.status, part.headers.get('content-range')]).toEqual([206, `bytes 100-199/${bytes.length}`]);
    expect(Buffer.from(await part.arrayBuffer()).equals(bytes.subarray(100, 200))).toBe(true);
  });

  it('queue, workers, lanes, dead letters and usage answer', async () => {
    expect((await client.workers.list()).length).toBe(1);
    expect(await client.queue()).toHaveProperty('advice');
    expect((await client.lanes.list()).lanes.length).toBeGreaterThan(3);
    for (const path of ['/v1/dead-letters', '/v1/usage', '/health', '/health?workers=1', '/openapi.json'])
      expect([path, (await ask(path)).status]).toEqual([path, 200]);
  });

  it('a caller’s trace goes on', async () => {
    const trace = '0af7651916cd43dd8448eb211c80319c';
    const form = new FormData();
    form.append('file', await openAsBlob(deployment.servers.sample), 'a.wav');
    const headers = { traceparent: `00-${trace}-b7ad6b7169203331-01` };
    const answer = await ask('/v1/recordings', { method: 'POST', body: form, headers });
    const { id } = (await answer.json()) as { id: string };
    expect((await client.transcripts.wait(id)).trace_id).toBe(trace);
  });
});

describe('large recordings', () => {
  it('are streamed on while they come, and nothing of them is kept on the way', async () => {
    const upload = await RawUpload.open(origin.url, deployment.servers.apiKey, 300 * MB);
    await upload.send(silentWav(MB));
    for (let sent = 1; sent < 150; sent += 1) await upload.send(Buffer.alloc(MB));
    await eventually('the half that was sent to be in the store', async () => (await stored()) > 140 * MB);
    expect(await origin.tempFiles()).toEqual([]);
    for (let sent = 150; sent < 300; sent += 1) await upload.send(Buffer.alloc(MB));
    await upload.end();
    await eventually('the answer', () => upload.answer.includes('\r\n\r\n{'), 60_000);
    expect(upload.answer).toMatch(/^HTTP\/1.1 202 /);
    expect(await origin.tempFiles()).toEqual([]);
    upload.close();

    const { id } = JSON.parse(upload.answer.split('\r\n\r\n')[1]?.match(/\{.*\}/)?.[0] ?? '{}');
    expect((await client.transcripts.cancel(id)).status).toBe('canceled');
    await expect(client.transcripts.wait(id)).rejects.toBeInstanceOf(TranscriptError);
  });

  it.each([
    ['that say so are refused before they are sent', 5_000 * MB],
    ['of unknown size are refused once they have more than the limit', undefined],
  ])('above the limit %s', async (_, bytes) => {
    const upload = await RawUpload.open(origin.url, deployment.servers.apiKey, bytes);
    const first = silentWav(MB);
    await upload.send(first);
    if (bytes === undefined)
      for (let sent = 1; sent <= LIMIT_MB; sent += 1) await upload.send(Buffer.alloc(MB));
    await eventually('the answer', () => upload.answer.includes('too_large'), 60_000);
    expect(upload.answer).toMatch(/^HTTP\/1.1 413 /);
    expect(upload.answer).toContain('application/problem+json');
    upload.close();
  });

  it('that the client cannot finish are given up in the store too', async () => {
    const before = await stored();
    const upload = await RawUpload.open(origin.url, deployment.servers.apiKey, 300 * MB);
    await upload.send(silentWav(10 * MB));
    await eventually('the bytes to arrive', async () => (await stored()) > before + 5 * MB);
    upload.close();
    await eventually('the bytes to be gone', async () => (await stored()) <= before);
  });

  /** Bytes of all files in the store. */
  async function stored(): Promise<number> {
    const root = fileURLToPath(deployment.servers.settings.EARSHOT_STORAGE_URL ?? '');
    const entries = await readdir(root, { recursive: true, withFileTypes: true });
    const files = entries.filter((entry) => entry.isFile());
    const sizes = files.map(({ parentPath, name }) =>
      stat(join(parentPath, name)).then(
        ({ size }) => size,
        () => 0,
      ),
    );
    return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
  }
});

describe('answers are those of the services', () => {
  it.each(['ingest', 'results'])('every route of %s is reached', async (name) => {
    const described = await fetch(`${services.get(name)?.url}/openapi.json`);
    const { paths } = (await described.json()) as { paths: Record<string, Record<string, object>> };
    const operations = Object.entries(paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => [method.toUpperCase(), path.replace(/\{\w+\}/g, 'none')] as const),
    );
    expect(operations.length).toBeGreaterThan(0);
    for (const [method, path] of operations) {
      const init = { method, ...(method === 'GET' ? {} : { body: '{', headers: JSON_BODY }) };
      const { detail } = (await (await ask(path, init)).json()) as { detail?: string };
      expect(`${detail}`, `${method} ${path}`).not.toMatch(/^there is no [A-Z]+ \//);
    }
  });

  it.each(['/v1/none', '/v1/recordings/', '/v1/events/none', '/none', '/', '/origin/malformed'])(
    'there is nothing at %s, in the words of a service',
    async (path) => {
      const [answer, direct] = await Promise.all([ask(path), direct404(path)]);
      const { instance: _, ...problem } = (await answer.json()) as Record<string, unknown>;
      expect([answer.status, answer.headers.get('content-type')]).toEqual([404, direct.type]);
      expect(problem).toEqual(direct.problem);
      expect(problem.code).toBe('not_found');
    },
  );

  async function direct404(path: string) {
    const headers = { authorization: `Bearer ${deployment.servers.apiKey}` };
    const answer = await fetch(`${services.get('results')?.url}${path}`, { headers });
    const { instance: _, ...problem } = (await answer.json()) as Record<string, unknown>;
    return { problem, type: answer.headers.get('content-type') };
  }

  it.each([
    '/metrics',
    '//metrics',
    '/%6detrics',
    '/v1/../metrics',
    '/metrics/',
    '/metrics?x',
    '/METRICS',
    '/metrics;a',
  ])('metrics are not shown at %s', async (path) => {
    const answer = await rawGet(path);
    expect(answer).toMatch(/^HTTP\/1.1 404 /);
    expect(answer).toContain('"code":"not_found"');
    expect(answer).not.toContain('earshot_');
  });

  /** A path as it stands: fetch would tidy it up. */
  async function rawGet(path: string): Promise<string> {
    const socket = connect(origin.port, '127.0.0.1');
    socket.write(`GET ${path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`);
    let text = '';
    socket.setEncoding('utf8').on('data', (more: string) => {
      text += more;
    });
    await once(socket, 'close');
    return text;
  }
});

it('says that it is not ready, and 503 with a code, while a service is away', async () => {
  expect((await fetch(`${origin.url}/readyz`)).status).toBe(200);
  await services.get('ingest')?.process.kill();
  const answer = await ask('/v1/recordings', { method: 'POST', body: '{}' });
  expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '2']);
  expect(await answer.json()).toEqual(
    toProblem(new CodedError('unavailable', 'the service does not answer')),
  );
  expect((await fetch(`${origin.url}/readyz`)).status).toBe(503);
  expect((await fetch(`${origin.url}/livez`)).status).toBe(200);
  expect(await client.queue()).toHaveProperty('advice');
});
