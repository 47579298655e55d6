import type { Readable } from 'node:stream';
import { CodedError } from '@earshot/domain';
import {
  checkTenantKey,
  isBucketAddress,
  type ObjectStorage,
  type ReadableBucket,
  type TenantBuckets,
} from '@earshot/storage';

/** Where sound may lie: in our storage, and in buckets of tenants, which are read in place. */
export interface RecordingPlaces {
  readonly storage: ObjectStorage;
  readonly buckets: Pick<TenantBuckets, 'find'>;
}

/** One object with sound. */
export interface Place {
  /** Where a vendor in the same cloud reads it by itself; undefined elsewhere. */
  uri(): string | undefined;
  open(): Promise<Readable>;
  /** Changes whenever the object is written; undefined when there is none. */
  version(): Promise<string | undefined>;
  /** See `ObjectStorage.localFile`; `version` is told where somebody else may write the object meanwhile. */
  localFile(): Promise<{ path: string; version?: string | undefined; release(): Promise<void> }>;
}

/** What a key means; throws `forbidden_key` or `forbidden_bucket` when it is not the tenant's to read. */
export function placeOf({ storage, buckets }: RecordingPlaces, tenant: string, key: string): Place {
  if (!isBucketAddress(key)) return placeIn(storage, checkTenantKey(tenant, key));
  const found = buckets.find(tenant, key);
  const place = placeIn(found.bucket, found.key);
  return { ...place, localFile: () => pinnedFile(place) };
}

const placeIn = (bucket: ReadableBucket, key: string): Place => ({
  uri: () => bucket.addressOf?.(key),
  open: () => bucket.get(key),
  version: async () => (await bucket.stat(key))?.version,
  localFile: () => bucket.localFile(key),
});

/** A copy of one version, whole: the object may be replaced while it is fetched. */
async function pinnedFile(place: Place): ReturnType<Place['localFile']> {
  const version = await place.version();
  const file = await place.localFile();
  if (version !== undefined && (await place.version()) === version) return { ...file, version };
  await file.release();
  throw new CodedError('storage_error', 'the recording was replaced while it was fetched');
}
