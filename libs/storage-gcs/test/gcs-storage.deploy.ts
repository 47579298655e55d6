import { randomUUID } from 'node:crypto';
import { storageConformance } from '@earshot/storage/testing';
import { afterAll, beforeAll, inject } from 'vitest';
import { createGcsStorage } from '../src/index.ts';
import { type FakeGcs, startFakeGcs } from './fake-gcs.ts';

let gcs: FakeGcs;
beforeAll(async () => {
  gcs = await startFakeGcs(inject('goTools')['fake-gcs-server']);
});
afterAll(() => gcs.stop());

storageConformance('Cloud Storage', async () => {
  const bucket = `b-${randomUUID()}`;
  await gcs.makeBucket(bucket);
  const storage = createGcsStorage({ bucket, prefix: 'some/folder', apiEndpoint: gcs.url });
  return { storage, cleanup: () => storage.close() };
});
