import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { connect } from 'node:net';
import { accepted, factSubjects } from '@earshot/contracts';
import { transcriptId } from '@earshot/intake';
import { eventually } from '@earshot/testkit';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { form, type IngestWorld, openIngest, wav } from '../test/ingest-world.ts';

interface Answer {
  status: number;
  location: string | null;
  body: {
    id: string;
    code: string;
    errors?: string[];
    status: unknown;
    warnings: { code: string; detail: string }[];
    links: object;
  };
}

describe('POST /v1/recordings', () => {
  let world: IngestWorld;
  beforeAll(async () => {
    world = await openIngest({ maxRecordingMb: 400 });
  });
  afterAll(() => world.close());
  let keysBefore: string[];
  beforeEach(async () => {
    keysBefore = await world.keys();
  });

  const newKeys = async () => (await world.keys()).filter((key) => !keysBefore.includes(key));
  const post = async (
    body: NonNullable<RequestInit['body']>,
    headers: Record<string, string> = {},
  ): Promise<Answer> => {
    const init = { method: 'POST', body, headers, duplex: 'half' } as RequestInit;
    const response = await fetch(world.url, init);
    const json = (await response.json()) as Answer['body'];
    return { status: response.status, location: response.headers.get('location'), body: json };
  };
  const postJson = (value: unknown, headers: Record<string, string> = {}) =>
    post(JSON.stringify(value), { 'content-type': 'application/json', ...headers });
  const acceptedOf = (id: string, tenant = 'default') =>
    eventually('the fact accepted', async () => {
      const fact = await world.broker.facts.last(factSubjects(tenant, id).accepted);
      return fact && accepted.read(fact.event);
    });

  it('takes a form, answers 202 and lets the recording be accepted', async () => {
    const bytes = wav();
    const { status, body, location } = await post(
      form({
        language: 'en',
        file: bytes,
        metadata: '{"a":{"b":1}}',
        priority: 'high',
        vocabulary: ['x', 'y'],
      }),
    );
    expect(status).toBe(202);
    expect(location).toBe(`/v1/transcripts/${body.id}`);
    expect(body).toMatchObject({ status: 'queued', links: { self: location } });
    expect(body.warnings.map(({ code }) => code)).toEqual(['not_supported_yet']);
    const fact = await acceptedOf(body.id);
    expect(fact).toMatchObject({
      size_bytes: bytes.length,
      lane: 'high',
      engine: 'sherpa',
      options: { language: 'en', metadata: { a: { b: 1 } }, priority: 'high', vocabulary: ['x', 'y'] },
    });
    expect(await world.storage.read(fact.key)).toEqual(bytes);
    await eventually(
      'the split job',
      async () => (await world.subjects('JOBS'))[`jobs.split.high.default.${body.id}`] === 1,
    );
  });

  it('takes a storage key as JSON', async () => {
    const { status, body } = await postJson({ uri: 'default/in/a.wav', language: 'en', colour: 'red' });
    expect(status).toBe(202);
    expect(body.warnings).toEqual([{ code: 'unknown_option', detail: expect.stringContaining('colour') }]);
    expect(await acceptedOf(body.id)).toMatchObject({ key: 'default/in/a.wav', options: { language: 'en' } });
  });

  it('gives 20 concurrent requests with one key and body one transcript and one object', async () => {
    const headers = { 'idempotency-key': 'twenty' };
    const answers = await Promise.all(Array.from({ length: 20 }, () => post(form({ file: wav() }), headers)));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([202]));
    expect(new Set(answers.map(({ body }) => body.id))).toEqual(
      new Set([transcriptId('default', 'earshot/http', 'twenty')]),
    );
    expect(await newKeys()).toHaveLength(2);
    const id = answers[0]?.body.id ?? '';
    await acceptedOf(id);
    await eventually('all events to be taken', async () => (await world.uploadsLeft()) === 0);
    expect((await world.subjects('JOBS'))[`jobs.split.normal.default.${id}`]).toBe(1);
  });

  it('refuses a used key with another recording or other options, and keeps tenants apart', async () => {
    const headers = { 'idempotency-key': 'mine' };
    await post(form({ file: wav() }), headers);
    for (const other of [form({ file: wav(60_000) }), form({ file: wav(), language: 'de' })]) {
      expect(await post(other, headers)).toMatchObject({
        status: 422,
        body: { code: 'idempotency_conflict' },
      });
    }
    expect(await newKeys()).toHaveLength(2);
    const elsewhere = await post(form({ file: wav(60_000) }), { ...headers, authorization: 'Bearer acme' });
    expect(elsewhere.status).toBe(202);
    expect((await newKeys()).filter((key) => key.startsWith('acme/'))).toHaveLength(2);
  });

  const text = { 'content-type': 'multipart/form-data; boundary=b' };
  it.each([
    ['no file', () => post(form({ language: 'en' })), 400, 'invalid_request'],
    [
      'two files',
      () => {
        const two = form({ file: wav() });
        two.append('file', new Blob([wav()]), 'b.wav');
        return post(two);
      },
      400,
      'invalid_request',
    ],
    ['a file under another name', () => post(form({ audio: wav() })), 400, 'invalid_request'],
    [
      'a bad option before the file',
      () => post(form({ priority: 'urgent', file: wav() })),
      400,
      'invalid_request',
    ],
    [
      'a bad option after the file',
      () => post(form({ file: wav(), priority: 'urgent' })),
      400,
      'invalid_request',
    ],
    ['metadata that is no object', () => post(form({ file: wav(), metadata: '[1' })), 400, 'invalid_request'],
    [
      'a field that is too long',
      () => post(form({ file: wav(), session_id: 'x'.repeat(70_000) })),
      400,
      'invalid_request',
    ],
    ['a uri beside the file', () => post(form({ file: wav(), uri: 'default/x' })), 400, 'invalid_request'],
    [
      'a form that breaks off',
      () => post('--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nRIFF', text),
      400,
      'invalid_request',
    ],
    ['no form at all', () => post('nothing', text), 400, 'invalid_request'],
    [
      'a form without boundary',
      () => post('x', { 'content-type': 'multipart/form-data' }),
      400,
      'invalid_request',
    ],
    ['an unknown engine', () => post(form({ engine: 'whisper', file: wav() })), 422, 'unknown_engine'],
    ['an empty file', () => post(form({ file: Buffer.alloc(0) })), 422, 'empty_file'],
    [
      'a picture',
      () => post(form({ file: Buffer.from('\x89PNG\r\n\x1a\n'.padEnd(40_000, 'x'), 'latin1') })),
      422,
      'not_audio',
    ],
    [
      'a playlist',
      () => post(form({ file: Buffer.from('#EXTM3U\nhttp://169.254.169.254/') })),
      422,
      'unsupported',
    ],
    [
      'a prototype field',
      () => post(form({ __proto__x: '1', file: wav(), constructor: 'x' } as never)),
      400,
      'invalid_request',
    ],
    ['an empty key', () => post(form({ file: wav() }), { 'idempotency-key': '' }), 400, 'invalid_request'],
    [
      'a key that is too long',
      () => post(form({ file: wav() }), { 'idempotency-key': 'k'.repeat(257) }),
      400,
      'invalid_request',
    ],
    ['another content type', () => post('x', { 'content-type': 'audio/wav' }), 415, 'unsupported_media_type'],
    ['bad JSON', () => post('{', { 'content-type': 'application/json' }), 400, 'invalid_request'],
    ['JSON that is no object', () => postJson([1]), 400, 'invalid_request'],
    ['JSON without uri', () => postJson({ language: 'en' }), 400, 'invalid_request'],
    ["another tenant's key", () => postJson({ uri: 'acme/a.wav' }), 403, 'forbidden_key'],
    ['a way out of the tenant', () => postJson({ uri: 'default/../acme/a.wav' }), 403, 'forbidden_key'],
    ['a bucket of nobody', () => postJson({ uri: 'gs://bucket/a.wav' }), 403, 'forbidden_bucket'],
    ["another tenant's bucket", () => postJson({ uri: 'gs://acme-uploads/a.wav' }), 403, 'forbidden_bucket'],
    [
      'a key without the scope',
      () => post(form({ file: wav() }), { authorization: 'Bearer acme:read' }),
      403,
      'forbidden',
    ],
  ] as const)('refuses %s and leaves nothing', async (_, send, status, code) => {
    const answer = await send();
    expect([answer.status, answer.body.code]).toEqual([status, code]);
    expect(await newKeys()).toEqual([]);
  });

  it('names each bad field', async () => {
    const { body } = await postJson({ uri: 'default/a', priority: 'urgent', expires_in_seconds: 1 });
    expect(body.errors?.join(' ')).toMatch(/\/priority.*\/expires_in_seconds/);
  });

  it('refuses what is larger than allowed while it is being sent, and streams the rest away', async () => {
    const small = await openIngest({ maxRecordingMb: 1 });
    const response = await fetch(small.url, { method: 'POST', body: form({ file: wav(20 * 1024 * 1024) }) });
    expect([response.status, ((await response.json()) as { code: string }).code]).toEqual([413, 'too_large']);
    expect(await small.keys()).toEqual([]);
    await small.close();
  });

  it('refuses what says that it is larger than allowed before it is sent', async () => {
    const socket = connect(world.port, '127.0.0.1');
    socket.write(`POST /v1/recordings HTTP/1.1\r\nhost: x\r\ncontent-type: ${text['content-type']}\r\n`);
    socket.write(`content-length: ${500 * 1024 * 1024}\r\n\r\n`);
    const [answer] = await once(socket, 'data');
    expect(String(answer)).toMatch(/^HTTP\/1.1 413 .*too_large/s);
    socket.destroy();
    expect(await newKeys()).toEqual([]);
  });

  it('leaves nothing when the client goes away, and serves the next one', async () => {
    const socket = connect(world.port, '127.0.0.1');
    const part = 'Content-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\n';
    socket.write(
      `POST /v1/recordings HTTP/1.1\r\nhost: x\r\ncontent-type: multipart/form-data; boundary=b\r\ncontent-length: 9000000\r\n\r\n--b\r\n${part}`,
    );
    socket.write(wav(1_000_000));
    const tempFolder = await tempFolderOf(world);
    const temp = () => readdir(tempFolder);
    await eventually('the upload to be under way', async () => (await temp()).length > 0);
    socket.destroy();
    await eventually('the temporary file to be gone', async () => (await temp()).length === 0);
    expect(await newKeys()).toEqual([]);
    expect((await post(form({ file: wav() }))).status).toBe(202);
  });

  it('streams 300 MB with flat memory', async () => {
    const chunk = wav(1024 * 1024);
    const head = '--b\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\n';
    const tail = '\r\n--b--\r\n';
    const length = head.length + 300 * chunk.length + tail.length;
    const socket = connect(world.port, '127.0.0.1');
    const before = process.memoryUsage.rss();
    let peak = before;
    socket.write(`POST /v1/recordings HTTP/1.1\r\nhost: x\r\nconnection: close\r\n`);
    socket.write(`content-type: ${text['content-type']}\r\ncontent-length: ${length}\r\n\r\n${head}`);
    for (let i = 0; i < 300; i += 1) {
      if (!socket.write(chunk)) await once(socket, 'drain');
      peak = Math.max(peak, process.memoryUsage.rss());
    }
    socket.write(tail);
    expect(String((await once(socket, 'data'))[0])).toContain('202 Accepted');
    expect((peak - before) / 2 ** 20).toBeLessThan(60);
  });

  it('answers 503 with Retry-After while the broker is down, and a repeat finishes', async () => {
    const here = await openIngest();
    const send = () =>
      fetch(here.url, { method: 'POST', body: form({ file: wav() }), headers: { 'idempotency-key': 'k' } });
    await here.server.kill();
    const response = await send();
    expect(response.status).toBe(503);
    expect(response.headers.get('retry-after')).toMatch(/^\d+$/);
    await here.server.start();
    const repeat = await eventually(
      'the broker to be back',
      async () => {
        const again = await send();
        return again.status === 202 && ((await again.json()) as { id: string });
      },
      20_000,
    );
    expect(await here.keys()).toHaveLength(2);
    await eventually('the acceptance', () =>
      here.broker.facts.last(factSubjects('default', repeat.id).accepted),
    );
    await here.close();
  });

  it('answers 503 above 80 % of a budget and before the bytes are read', async () => {
    const here = await openIngest({ maxFile: 1_000_000 });
    const filler = JSON.stringify({ x: 'x'.repeat(80_000) });
    for (let i = 0; i < 5; i += 1)
      await here.publish(`transcripts.filler.x${i}.completed`, filler).catch(() => undefined);
    const response = await eventually('the store to be full', async () => {
      const answer = await fetch(here.url, { method: 'POST', body: form({ file: wav() }) });
      return answer.status === 503 && answer;
    });
    expect((await response.json()) as object).toMatchObject({ code: 'storage_full' });
    expect(response.headers.get('retry-after')).toBeTruthy();
    await here.close();
  });
});

const tempFolderOf = async (world: IngestWorld) => {
  await world.storage.put('probe/x', Buffer.from('x'));
  const { path } = await world.storage.localFile('probe/x');
  await world.storage.delete('probe/x');
  return path.replace('probe/x', '.earshot-tmp');
};
