import type { StorageConfig } from '@earshot/contracts';
import {
  type BucketAddress,
  bucketFile,
  noTenantBuckets,
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
 * A changed file that cannot be used is logged. Throws when it cannot be used at the start.
 */
export async function openTenantBuckets(
  config: BucketsConfig,
  log: { error(fields: object, message: string): void },
): Promise<TenantBuckets> {
  const { EARSHOT_BUCKETS_FILE: file, EARSHOT_STORAGE_URL: url } = config;
  if (!file) return noTenantBuckets;
  const list = bucketFile(file, (detail) =>
    log.error({ detail }, 'EARSHOT_BUCKETS_FILE was changed and cannot be used: what it held before stays'),
  );
  return tenantBuckets({ list, open: await opener(config), isOurs: isBelow(url) });
}

async function opener(config: StorageConfig) {
  const { createGcsStorage } = await import('@earshot/storage-gcs');
  const access = googleAccess(config);
  return (bucket: string): ObjectStorage => createGcsStorage({ bucket, ...access });
}

function isBelow(url: string) {
  const ours = gcsPlace(url);
  const folder = ours?.prefix ? `${ours.prefix}/` : '';
  return ({ bucket, key }: BucketAddress) => bucket === ours?.bucket && key.startsWith(folder);
}
