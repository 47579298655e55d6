import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { toProblem } from '@earshot/contracts';
import { CodedError } from '@earshot/domain';
import { eventually, tempFolder } from '@earshot/testkit';
import { afterEach, beforeAll, expect, inject, it } from 'vitest';
import { CONFIG, type Origin, startOrigin } from './origin.ts';

const nginx = inject('nginx');
let config: string;
const closing: (() => unknown)[] = [];
beforeAll(async () => {
  config = await readFile(join(import.meta.dirname, '../../../..', CONFIG), 'utf8');
});
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

/** A service that says what it was asked, with a name that tells where it is. */
async function echo(address: string, port = 0): Promise<number> {
  const server = createServer((request, response) => {
    let bytes = 0;
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
    });
    request.on('end', () => response.end(JSON.stringify({ address, headers: request.headers, bytes })));
  });
  server.listen(port, address);
  await once(server, 'listening');
  closing.push(() => server.close());
  return (server.address() as AddressInfo).port;
}

async function before(port: number, text = config): Promise<Origin> {
  const origin = await startOrigin({ nginx, config: text, ports: { ingest: port, results: port } });
  closing.push(() => origin.close());
  return origin;
}

interface Heard {
  readonly address: string;
  readonly headers: IncomingHttpHeaders;
  readonly bytes: number;
}
const heard = async (url: string, headers: Record<string, string> = {}) =>
  (await (await fetch(url, { headers })).json()) as Heard;

it('passes on who asks, how and where, and the caller’s own headers', async () => {
  const origin = await before(await echo('127.0.0.1'));
  const own = {
    authorization: 'Bearer es_x',
    traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
    'idempotency-key': 'k',
    'x-request-id': 'r-1',
    range: 'bytes=0-1',
  };
  const { headers } = await heard(`${origin.url}/v1/transcripts`, own);
  const host = `127.0.0.1:${origin.port}`;
  expect(headers).toMatchObject({
    ...own,
    host,
    'x-forwarded-host': host,
    'x-forwarded-for': '127.0.0.1',
    'x-forwarded-proto': 'http',
  });
  const behindTls = { 'x-forwarded-proto': 'https', 'x-forwarded-for': '192.0.2.1' };
  expect((await heard(`${origin.url}/`, behindTls)).headers).toMatchObject({
    'x-forwarded-proto': 'https',
    'x-forwarded-for': '192.0.2.1, 127.0.0.1',
  });
});

it('finds a service that was replaced', async () => {
  const port = await echo('127.0.0.1');
  await echo('127.0.0.2', port);
  const origin = await before(port);
  expect((await heard(`${origin.url}/v1/queue`)).address).toBe('127.0.0.1');
  origin.names.point('results', '127.0.0.2');
  const moved = async () => (await heard(`${origin.url}/v1/queue`)).address === '127.0.0.2';
  await eventually('the other address to be asked', moved, 20_000);
});

it('cuts no upload that is slow, only one that is silent', async () => {
  const impatient = config.replaceAll(' 300s;', ' 1s;');
  expect(impatient).not.toBe(config);
  const origin = await before(await echo('127.0.0.1'), impatient);
  const socket = connect(origin.port, '127.0.0.1');
  const bytes = 20;
  socket.write(`POST /v1/recordings HTTP/1.1\r\nhost: x\r\ncontent-length: ${bytes}\r\n\r\n`);
  let sent = 0;
  const pace = setInterval(() => sent++ < bytes && socket.write('x'), 150);
  closing.push(() => clearInterval(pace));
  const [answer] = await once(socket, 'data');
  expect(String(answer)).toMatch(/^HTTP\/1.1 200 /);
  expect(String(answer)).toContain(`"bytes":${bytes}`);
  socket.write(`POST /v1/recordings HTTP/1.1\r\nhost: x\r\ncontent-length: ${bytes}\r\n\r\nx`);
  await once(socket, 'close');
});

it('says what it cannot read in the words of the API', async () => {
  const origin = await before(await echo('127.0.0.1'));
  const answer = await fetch(`${origin.url}/${'x'.repeat(20_000)}`);
  expect([answer.status, answer.headers.get('content-type')]).toEqual([400, 'application/problem+json']);
  expect(await answer.json()).toEqual(
    toProblem(new CodedError('invalid_request', 'the request cannot be read')),
  );
});

it('logs a line for a request, without its query', async () => {
  const origin = await before(await echo('127.0.0.1'));
  await heard(`${origin.url}/v1/transcripts?session_id=secret`);
  const line = await eventually('the line', async () =>
    /^\{.*"path":"\/v1\/transcripts".*\}$/m.exec(await origin.log()),
  );
  expect(JSON.parse(line[0])).toMatchObject({ service: 'origin', method: 'GET', status: 200 });
  expect(await origin.log()).not.toContain('secret');
});

it('is refused with a misspelt directive', async () => {
  const folder = await tempFolder();
  closing.push(() => folder.remove());
  const check = async (text: string) => {
    const file = join(folder.path, 'nginx.conf');
    await writeFile(file, text.replaceAll(/ (\/tmp|\/dev)\//g, ` ${folder.path}/`));
    const { stderr } = await promisify(execFile)(nginx, ['-e', 'stderr', '-t', '-c', file]);
    return stderr;
  };
  expect(await check(config)).toContain('test is successful');
  await expect(check(config.replace('proxy_request_buffering', 'proxy_request_bufering'))).rejects.toThrow(
    /unknown directive "proxy_request_bufering"/,
  );
});
