import type { Log } from '@earshot/messaging';
import type { ObjectStorage, TenantBuckets } from '@earshot/storage';
import { openStorage, openTenantBuckets, sweepLocalCopies } from '@earshot/storage-url';
import type { TranscriptionConfig } from './config.ts';

/** Where transcription reads and writes beside the store of recordings. */
export interface OpenPlaces {
  readonly buckets: TenantBuckets;
  readonly staging: ObjectStorage | undefined;
  /** Frees connections. Idempotent. */
  close(): Promise<void>;
}

/** Opens the buckets of tenants, and the one for Google, as the settings say. Nothing is asked of them yet. */
export async function openPlaces(config: TranscriptionConfig, log: Log): Promise<OpenPlaces> {
  const { EARSHOT_GOOGLE_STAGING_URL: url } = config;
  await sweepLocalCopies(config, log);
  const buckets = await openTenantBuckets(config, log);
  const staging = url === undefined ? undefined : await openStorage({ ...config, EARSHOT_STORAGE_URL: url });
  return {
    buckets,
    staging,
    close: async () => void (await Promise.all([buckets.close(), staging?.close()])),
  };
}
