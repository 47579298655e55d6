import { type ObjectStorage, storageKeys } from '@earshot/storage';

/** Deletes the chunk objects of a completed or canceled transcript; the recording, its cuts and its peaks stay. Idempotent. */
export async function removeChunks(storage: ObjectStorage, tenant: string, id: string): Promise<void> {
  const prefix = `${storageKeys(tenant, id).prefix}chunks/`;
  for await (const { key } of storage.list(prefix)) await storage.delete(key);
}
