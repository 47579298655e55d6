import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ObjectStorage } from '@earshot/storage';
import { openFileStorage } from '@earshot/storage-file';
import type { SpeechObjects } from './speech-server.ts';

const BUCKET = 'gs://folder/';

/** A folder as a store whose objects have addresses in a bucket, as `gs:` storage has them; the caller closes it. */
export async function openAddressedFolder(root: string): Promise<ObjectStorage> {
  const storage = await openFileStorage({ root });
  return Object.assign(storage, { addressOf: (key: string) => `${BUCKET}${key}` });
}

/** The same folder as the local server of Speech-to-Text reads and writes it. */
export function objectsOf(storage: ObjectStorage, root: string): SpeechObjects {
  const keyOf = (uri: string) => (uri.startsWith(BUCKET) ? uri.slice(BUCKET.length) : undefined);
  return {
    read: async (uri) => {
      const key = keyOf(uri);
      return key === undefined ? undefined : readFile(join(root, key)).catch(() => undefined);
    },
    write: async (uri, bytes) => {
      await storage.put(keyOf(uri) ?? '', bytes);
    },
  };
}
