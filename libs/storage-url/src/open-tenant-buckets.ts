import type { StorageConfig } from '@earshot/contracts';
import {
  type BucketAddress,
  bucketFile,
  type ObjectStorage,
  type TenantBuckets,
  tenantBuckets,
} from '@earshot/storage';
import { gcsPlace } from './gcs-place.ts';
import { googleAccess } from './google-access.ts';

/** Where recordings are kept, and which buckets of tenants are read. */
export interface BucketsConfig extends StorageConfig {
  readonly EARSHOT_BUCKETS_FILE?: string;
}

/**
 * The buckets of EARSHOT_BUCKETS_FILE, asked as the store is; none without it. Our own store is never among them.
 * `onProblem` hears of a changed file that cannot be used. Throws when it cannot be used at the start.
 */
export async function openTenantBuckets(
  config: BucketsConfig,
  onProblem: (problem: string) => void,
): Promise<TenantBuckets> {
  const list = bucketFile(config.EARSHOT_BUCKETS_FILE, onProblem);
  const open = config.EARSHOT_BUCKETS_FILE ? await opener(config) : noBucket;
  return tenantBuckets({ list, open, isOurs: isBelow(config.EARSHOT_STORAGE_URL) });
}

async function opener(config: StorageConfig) {
  const { createGcsStorage } = await import('@earshot/storage-gcs');
  const access = googleAccess(config);
  return (bucket: string): ObjectStorage => createGcsStorage({ bucket, ...access });
}

function noBucket(): never {
  throw new Error('no list names a bucket');
}

function isBelow(url: string) {
  const ours = gcsPlace(url);
  const folder = ours?.prefix ? `${ours.prefix}/` : '';
  return ({ bucket, key }: BucketAddress) => bucket === ours?.bucket && key.startsWith(folder);
}
