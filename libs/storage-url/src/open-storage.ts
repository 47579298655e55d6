import { fileURLToPath } from 'node:url';
import type { StorageConfig } from '@earshot/contracts';
import type { ObjectStorage } from '@earshot/storage';
import { openFileStorage } from '@earshot/storage-file';
import { gcsPlace } from './gcs-place.ts';
import { googleAccess } from './google-access.ts';

/** The store that EARSHOT_STORAGE_URL names; Google's SDK is loaded only for a bucket. The caller closes it. */
export async function openStorage(config: StorageConfig): Promise<ObjectStorage> {
  const place = gcsPlace(config.EARSHOT_STORAGE_URL);
  if (!place) return openFileStorage({ root: fileURLToPath(config.EARSHOT_STORAGE_URL) });
  const { createGcsStorage } = await import('@earshot/storage-gcs');
  return createGcsStorage({ ...place, ...googleAccess(config) });
}
