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

/**
 * The buckets of EARSHOT_BUCKETS_FILE, asked as the store is; none without it. Our own store, and what is staged for
 * Google, is never among them.
 * A changed file that cannot be used is logged. Throws when it cannot be used at the start.
 */
export async function openTenantBuckets(
  config: StorageConfig,
  log: { error(fields: object, message: string): void },
): Promise<TenantBuckets> {
  const { EARSHOT_BUCKETS_FILE: file } = config;
  if (!file) return noTenantBuckets;
  const list = bucketFile(file, (detail) =>
    log.error({ detail }, 'EARSHOT_BUCKETS_FILE was changed and cannot be used: what it held before stays'),
  );
  return tenantBuckets({ list, open: await opener(config), isOurs: isOurs(config) });
}

async function opener(config: StorageConfig) {
  const { createGcsStorage } = await import('@earshot/storage-gcs');
  const access = googleAccess(config);
  return (bucket: string): ObjectStorage => createGcsStorage({ bucket, ...access });
}

function isOurs(config: StorageConfig) {
  const urls = [config.EARSHOT_STORAGE_URL, config.EARSHOT_GOOGLE_STAGING_URL ?? ''];
  const ours = urls.flatMap((url) => gcsPlace(url) ?? []);
  return ({ bucket, key }: BucketAddress) =>
    ours.some((place) => place.bucket === bucket && isBelow(place.prefix, key));
}

const isBelow = (folder: string, key: string) => folder === '' || key.startsWith(`${folder}/`);
