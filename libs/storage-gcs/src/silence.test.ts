import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import type { Readable } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import type { ObjectStorage } from '@earshot/storage';
import { everyRequest } from '@earshot/storage/testing';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createGcsStorage } from './index.ts';

const SILENCE_MS = 500;
const MEGABYTE = 1024 * 1024;
let server: Server;
let answer: RequestListener;
let storage: ObjectStorage;
beforeEach(async () => {
  server = createServer((request, response) => answer(request, response)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  storage = open(SILENCE_MS);
});
afterEach(async () => {
  await storage.close();
  server.closeAllConnections();
  server.close();
});

function open(silenceMs: number): ObjectStorage {
  const { port } = server.address() as AddressInfo;
  return createGcsStorage({ bucket: 'b-b', apiEndpoint: `http://127.0.0.1:${port}`, silenceMs });
}

/** Says that there are so many bytes, and sends the first of them. */
const half: RequestListener = (_, response) =>
  void response.writeHead(200, { 'content-length': 2 * MEGABYTE }).write(Buffer.alloc(MEGABYTE));
const silent = { code: 'unavailable', class: 'transient' };
const drained = async (bytes: Readable) => {
  let size = 0;
  for await (const part of bytes) size += (part as Buffer).length;
  return size;
};

it('a store that never answers is unavailable, whatever it is asked for', async () => {
  answer = () => undefined;
  const requests = {
    ...everyRequest(storage),
    'put many bytes': () => storage.put('t/c', Buffer.alloc(20 * MEGABYTE)),
  };
  const outcomes = Object.entries(requests).map(async ([name, ask]) => [
    name,
    await ask().catch((error: { code: unknown }) => error.code),
  ]);
  expect(await Promise.all(outcomes)).toEqual(Object.keys(requests).map((name) => [name, 'unavailable']));
});

it('a store that goes silent in the middle of an object is unavailable, and no copy is left', async () => {
  const copies = async () => (await readdir(tmpdir())).filter((name) => name.startsWith('earshot-object-'));
  const before = await copies();
  answer = half;
  await expect(storage.read('t/a')).rejects.toMatchObject(silent);
  await expect(storage.localFile('t/a')).rejects.toMatchObject(silent);
  await expect(storage.get('t/a', { start: 0 }).then(drained)).rejects.toMatchObject(silent);
  expect((await copies()).filter((name) => !before.includes(name))).toEqual([]);
});

it('a store that takes the beginning of an upload and goes silent is unavailable', async () => {
  let pieces = 0;
  answer = ({ method, headers }, response) => {
    if (method === 'POST') response.writeHead(200, { location: `http://${headers.host}/session` }).end();
    else pieces += 1;
  };
  await expect(storage.put('t/a', Buffer.alloc(20 * MEGABYTE))).rejects.toMatchObject(silent);
  expect(pieces).toBe(1);
});

it('a reader that takes its time is none of the store’s silence', async () => {
  answer = (_, response) =>
    void response.writeHead(200, { 'content-length': 4 * MEGABYTE }).end(Buffer.alloc(4 * MEGABYTE));
  const patienceMs = 2_000;
  const bytes = await open(patienceMs).get('t/a', { start: 0 });
  await once(bytes, 'readable');
  await pause(1.5 * patienceMs);
  expect(await drained(bytes)).toBe(4 * MEGABYTE);
});
