import type { Readable } from 'node:stream';
import { checkTenantKey, type ObjectStorage } from '@earshot/storage';

/** Where sound may lie: in our storage, and in buckets of a tenant. */
export interface RecordingPlaces {
  readonly storage: ObjectStorage;
}

/** One object with sound. */
export interface Place {
  /** Where a vendor in the same cloud reads it by itself; undefined elsewhere. */
  readonly uri: string | undefined;
  open(): Promise<Readable>;
  /** Changes whenever the object is written; undefined when there is none. */
  version(): Promise<string | undefined>;
  /** See `ObjectStorage.localFile`. */
  localFile(): Promise<{ path: string; release(): Promise<void> }>;
}

/** What a key means; throws `forbidden_key` when it is not the tenant's to read. */
export function placeOf({ storage }: RecordingPlaces, tenant: string, key: string): Place {
  checkTenantKey(tenant, key);
  return {
    uri: storage.addressOf?.(key),
    open: () => storage.get(key),
    version: async () => (await storage.stat(key))?.version,
    localFile: () => storage.localFile(key),
  };
}
