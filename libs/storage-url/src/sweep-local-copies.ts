import type { StorageConfig } from '@earshot/contracts';
import { gcsPlace } from './gcs-place.ts';

/**
 * Removes the copies of recordings that killed processes left on this machine; never rejects. Call it before anything is read
 * from a store: the copies of this process count as left.
 */
export async function sweepLocalCopies(
  config: StorageConfig,
  log: { warn(fields: object, message: string): void },
): Promise<void> {
  if (!gcsPlace(config.EARSHOT_STORAGE_URL) && !config.EARSHOT_BUCKETS_FILE) return;
  const { sweepCopies } = await import('@earshot/storage-gcs');
  await sweepCopies().catch((err: unknown) => log.warn({ err }, 'old copies of recordings are not removed'));
}
