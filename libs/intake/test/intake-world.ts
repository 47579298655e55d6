import { Readable } from 'node:stream';
import { CodedError } from '@earshot/domain';
import { type ObjectStorage, parseBucketList, tenantBuckets } from '@earshot/storage';
import { openFileStorage } from '@earshot/storage-file';
import { tempFolder } from '@earshot/testkit';
import type { RecordingUpload } from '../src/index.ts';
import { FakeBroker } from './fake-broker.ts';

/** The tenant acme may have `gs://acme-uploads` read, and nobody anything else. */
const listedBuckets = tenantBuckets({
  list: () => parseBucketList('{"acme": ["gs://acme-uploads"]}'),
  open: () => {
    throw new Error('an acceptance reads no bucket');
  },
  isOurs: () => false,
});

/** A store in a folder, a broker in memory and a clock that tests set. */
export async function openWorld() {
  const folder = await tempFolder();
  const storage = await openFileStorage({ root: folder.path });
  const broker = new FakeBroker();
  const clock = { now: new Date('2026-11-23T12:00:00Z') };
  const deps = {
    storage,
    broker,
    publisher: broker,
    facts: broker,
    engines: broker,
    defaultEngine: 'sherpa',
    buckets: listedBuckets,
    factsAgeMs: 7 * 86_400_000,
    now: () => clock.now,
  };
  return { ...deps, deps, clock, close: folder.remove };
}

/** An upload with what a test says; the body is `bytes`. */
export function uploadOf(
  bytes: Buffer | Readable,
  more: Partial<RecordingUpload> & { given?: Record<string, unknown> } = {},
): RecordingUpload {
  const { given = {}, ...rest } = more;
  return {
    tenant: 'acme',
    key: 'key-1',
    body: bytes instanceof Readable ? bytes : Readable.from([bytes]),
    options: async () => given,
    maxBytes: 10_000_000,
    sniff: (first) => (first.length === 0 ? new CodedError('empty_file') : undefined),
    ...rest,
  };
}

/** All keys of a store. */
export async function allKeys(storage: ObjectStorage): Promise<string[]> {
  const keys: string[] = [];
  for await (const info of storage.list('')) keys.push(info.key);
  return keys;
}

/** The code of the error that `work` ends with, `none` when it ends well. */
export const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => 'none',
    (error: unknown) => String((error as { code?: unknown }).code),
  );
