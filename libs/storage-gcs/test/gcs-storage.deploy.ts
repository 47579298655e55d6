import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { access, readdir, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname } from 'node:path';
import type { ObjectStorage } from '@earshot/storage';
import { everyRequest, storageConformance } from '@earshot/storage/testing';
import { freePort } from '@earshot/testkit';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { createGcsStorage } from '../src/index.ts';
import { type FakeGcs, startFakeGcs } from './fake-gcs.ts';
import { type Fate, type OddNetwork, openOddNetwork } from './odd-network.ts';

const { privateKey } = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
});
const credentials = {
  type: 'service_account',
  client_email: 'a@p.iam.gserviceaccount.com',
  private_key: privateKey,
};

let gcs: FakeGcs;
beforeAll(async () => {
  gcs = await startFakeGcs(inject('goTools')['fake-gcs-server']);
});
afterAll(() => gcs.stop());

async function newBucket(): Promise<string> {
  const bucket = `b-${randomUUID()}`;
  await gcs.makeBucket(bucket);
  return bucket;
}

storageConformance(
  'Cloud Storage',
  async () => {
    const bucket = await newBucket();
    const storage = createGcsStorage({ bucket, prefix: 'some/folder', apiEndpoint: gcs.url, credentials });
    return { storage, cleanup: () => storage.close() };
  },
  { signs: true, addresses: /^gs:\/\/b-[0-9a-f-]+\/some\/folder\/t\// },
);

const outcomeOf = (work: Promise<unknown>) =>
  work.then(
    (value) => ({ code: 'none', message: String(value) }),
    (error: unknown) => error as { code: string; message: string },
  );
const codeOf = async (work: Promise<unknown>) => (await outcomeOf(work)).code;
const allOutcomes = (storage: ObjectStorage) =>
  Promise.all(Object.values(everyRequest(storage)).map((ask) => outcomeOf(ask())));
const isUpload = (url = '') => url.startsWith('/upload/');

async function keysOf(storage: ObjectStorage, prefix = ''): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of storage.list(prefix)) keys.push(key);
  return keys;
}

describe('a bucket as object store', () => {
  let network: OddNetwork;
  let bucket: string;
  let storage: ObjectStorage;
  beforeAll(async () => {
    network = await openOddNetwork(gcs.url);
  });
  afterAll(() => network.close());
  beforeEach(async () => {
    bucket = await newBucket();
    network.fate = () => 'pass';
    network.log.length = 0;
    storage = createGcsStorage({ bucket, apiEndpoint: network.url });
  });

  /** The first exchanges that `match` meet their fates in order, the rest pass. */
  const first = (match: (method: string, url: string) => boolean, ...fates: Fate[]) => {
    network.fate = ({ method = '', url = '' }) => (match(method, url) && fates.shift()) || 'pass';
  };

  it('keeps to its folder of the bucket, and shows nothing that lies beside it', async () => {
    const [ours, whole] = ['in', ''].map((prefix) =>
      createGcsStorage({ bucket, prefix, apiEndpoint: gcs.url }),
    );
    await whole?.put('in-2/a', Buffer.from('1'));
    await whole?.put('a', Buffer.from('1'));
    await ours?.put('t/a', Buffer.from('1'));
    expect(await keysOf(ours as ObjectStorage)).toEqual(['t/a']);
    expect(await keysOf(whole as ObjectStorage)).toEqual(['a', 'in-2/a', 'in/t/a']);
  });

  it('lists more than a page', async () => {
    const all = Array.from({ length: 2_050 }, (_, i) => `t/${String(i).padStart(5, '0')}`);
    for (let at = 0; at < all.length; at += 50)
      await Promise.all(all.slice(at, at + 50).map((key) => storage.put(key, Buffer.alloc(0))));
    network.log.length = 0;
    expect(await keysOf(storage, 't/')).toEqual(all);
    expect(network.log.filter((line) => line.includes('/o?')).length).toBeGreaterThanOrEqual(3);
  });

  it('knows its own create-only write when the answer to it was lost', async () => {
    first((method, url) => method === 'POST' && isUpload(url), 'lose_answer');
    expect(await storage.create('t/ours', Buffer.from('ours'))).toBe(true);
    first((method, url) => method === 'POST' && isUpload(url), 'lose_answer');
    expect(await storage.create('t/ours', Buffer.from('ours'))).toBe(false);
    expect(String(await storage.read('t/ours'))).toBe('ours');
    expect(network.log.filter((line) => line.startsWith('POST /upload/')).length).toBeGreaterThanOrEqual(3);
  });

  it('goes on after answers that tell of trouble, and repeats no body that it does not hold', async () => {
    first((_, url) => isUpload(url), { status: 503 }, { status: 429 });
    await storage.put('t/a', Buffer.from('1'));
    first((method) => method === 'GET', { status: 500 }, { status: 502 });
    expect(String(await storage.read('t/a'))).toBe('1');
  });

  it('sees that bytes were changed on the way, in both directions', async () => {
    const bytes = Buffer.alloc(100_000, 'a');
    first((method, url) => method === 'POST' && isUpload(url), { flipByteOf: 'request' });
    expect(await codeOf(storage.put('t/sent', bytes))).toBe('storage_error');
    expect(await storage.stat('t/sent')).toBeUndefined();
    await storage.put('t/a', bytes);
    first((method, url) => method === 'GET' && url.includes('alt=media'), { flipByteOf: 'answer' });
    const read = await outcomeOf(storage.read('t/a'));
    expect([read.code, read.message]).toEqual([
      'storage_error',
      expect.stringContaining('changed on the way'),
    ]);
    first((method, url) => method === 'GET' && url.includes('alt=media'), { flipByteOf: 'answer' });
    expect(await codeOf(storage.localFile('t/a'))).toBe('storage_error');
    expect((await storage.read('t/a'))?.equals(bytes)).toBe(true);
  });

  it('lends a copy that only this user reads, removes it, and leaves none of a download that fails', async () => {
    const copies = async () => (await readdir(tmpdir())).filter((name) => name.startsWith('earshot-object-'));
    await storage.put('t/a', Buffer.alloc(100_000, 'a'));
    const file = await storage.localFile('t/a');
    expect((await readFile(file.path)).length).toBe(100_000);
    await file.release();
    await file.release();
    await expect(access(dirname(file.path))).rejects.toThrow('ENOENT');
    const before = await copies();
    first((method, url) => method === 'GET' && url.includes('alt=media'), { flipByteOf: 'answer' });
    await expect(storage.localFile('t/a')).rejects.toThrow();
    expect((await copies()).filter((name) => !before.includes(name))).toEqual([]);
  });

  it.each([
    ['refuses the account', 403, 'lets this account not do that'],
    ['does not know the account', 401, 'lets this account not do that'],
    ['is overloaded', 503, 'answers 503'],
  ])('is unavailable, and says why, while Google %s', async (_, status, why) => {
    network.fate = () => ({ status });
    for (const { code, message } of await allOutcomes(storage))
      expect([code, message]).toEqual(['unavailable', expect.stringContaining(why)]);
  });

  it('is unavailable where there is no bucket, and no object is missing there', async () => {
    const none = createGcsStorage({ bucket: 'no-such-bucket', apiEndpoint: gcs.url });
    for (const { code, message } of await allOutcomes(none))
      expect([code, message]).toEqual([
        'unavailable',
        expect.stringContaining('no bucket gs://no-such-bucket'),
      ]);
  });

  it('is unavailable where nobody listens', async () => {
    const away = createGcsStorage({ bucket, apiEndpoint: `http://127.0.0.1:${await freePort()}` });
    const all = await allOutcomes(away);
    expect(new Set(all.map(({ code }) => code))).toEqual(new Set(['unavailable']));
    expect(all[0]?.message).toContain('ECONNREFUSED');
  });

  it('is unavailable without credentials that Google takes', async () => {
    const broken = createGcsStorage({ bucket, credentials: { ...credentials, private_key: 'none' } });
    const { code, message } = await outcomeOf(broken.read('t/a'));
    expect([code, message]).toEqual(['unavailable', expect.not.stringContaining('private_key')]);
  });
});
