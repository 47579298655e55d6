import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Client } from '@earshot/client';
import { embeddedOptionsFromEnv, resolveSpeechModel } from '@earshot/embedded';
import { HTTP_SOURCE, transcriptId } from '@earshot/intake';
import type { ObjectStorage } from '@earshot/storage';
import { createGcsStorage } from '@earshot/storage-gcs';
import { tempFolder } from '@earshot/testkit';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { type FakeGcs, startFakeGcs } from '../../../libs/storage-gcs/test/fake-gcs.ts';
import { startEarshot } from './earshot-process.ts';

let folder: Awaited<ReturnType<typeof tempFolder>>;
let gcs: FakeGcs;
let earshot: Awaited<ReturnType<typeof startEarshot>>;
let client: Client;
let store: ObjectStorage;
let uploads: ObjectStorage;
let recording: Buffer;

beforeAll(async () => {
  folder = await tempFolder();
  gcs = await startFakeGcs(inject('goTools')['fake-gcs-server']);
  for (const bucket of ['earshot-store', 'product-uploads']) await gcs.makeBucket(bucket);
  store = createGcsStorage({ bucket: 'earshot-store', prefix: 'kept', apiEndpoint: gcs.url });
  uploads = createGcsStorage({ bucket: 'product-uploads', apiEndpoint: gcs.url });
  const { samples } = await resolveSpeechModel(embeddedOptionsFromEnv(process.env));
  recording = await readFile(samples.find((path) => path.endsWith('beckett.wav')) ?? '');
  const buckets = join(folder.path, 'buckets.json');
  await writeFile(buckets, '{"default": ["gs://product-uploads/calls"]}');
  earshot = await startEarshot(join(folder.path, 'home'), {
    EARSHOT_STORAGE_URL: 'gs://earshot-store/kept',
    EARSHOT_GOOGLE_STORAGE_ENDPOINT: gcs.url,
    EARSHOT_BUCKETS_FILE: buckets,
  });
  client = new Client({ baseUrl: earshot.url });
}, 180_000);
afterAll(async () => {
  expect(await earshot?.interrupt()).toBe(0);
  await gcs?.stop();
  await folder?.remove();
});

const finished = (id: string) => client.transcripts.wait(id, { signal: AbortSignal.timeout(90_000) });

async function keysOf(bucket: ObjectStorage): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of bucket.list('')) keys.push(key);
  return keys;
}

const post = (body: object) =>
  fetch(`${earshot.url}/v1/recordings`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'idempotency-key': JSON.stringify(body) },
    body: JSON.stringify(body),
  });

it('keeps a recording in a bucket from its bytes to its transcript', async () => {
  const { id } = await client.recordings.create({ file: new Blob([new Uint8Array(recording)]) });
  const transcript = await finished(id);
  expect(transcript).toMatchObject({ status: 'completed', engine: 'sherpa' });
  expect(transcript.text).toMatch(/try again/i);
  const keys = await keysOf(store);
  expect(keys).toContain(`default/recordings/${id}.json`);
  expect(keys.filter((key) => key.startsWith(`default/${id}/bytes/`))).toHaveLength(1);
  const audio = await fetch(`${earshot.url}/v1/transcripts/${id}/audio`);
  expect(Buffer.from(await audio.arrayBuffer()).equals(recording)).toBe(true);
  const ready = (await (await fetch(`${earshot.url}/readyz`)).json()) as { checks?: Record<string, unknown> };
  expect(JSON.stringify(ready)).toMatch(/storage/);
});

it('transcribes a recording in a bucket of the tenant where it lies, and copies it nowhere', async () => {
  await uploads.put('calls/a b/c.wav', recording);
  const before = await uploads.stat('calls/a b/c.wav');
  const answer = await post({ uri: 'gs://product-uploads/calls/a b/c.wav' });
  expect(answer.status).toBe(202);
  const { id } = (await answer.json()) as { id: string };
  expect(id).toBe(transcriptId('default', HTTP_SOURCE, '{"uri":"gs://product-uploads/calls/a b/c.wav"}'));
  expect((await finished(id)).text).toMatch(/try again/i);
  expect((await keysOf(store)).filter((key) => key.startsWith(`default/${id}/bytes`))).toEqual([]);
  expect(await uploads.stat('calls/a b/c.wav')).toEqual(before);
});

it('reads nothing that is not the tenant’s', async () => {
  for (const uri of ['gs://product-uploads/other/a.wav', 'gs://earshot-store/kept/acme/in/a.wav']) {
    const answer = await post({ uri });
    expect([answer.status, ((await answer.json()) as { code: string }).code]).toEqual([
      403,
      'forbidden_bucket',
    ]);
  }
});
