import type { Dirent } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { ObjectInfo } from '@earshot/storage';
import { isAbsent, storageError } from './errors.ts';
import { TEMP_FOLDER } from './locate.ts';
import { statObject } from './read.ts';

/** Objects whose keys start with `prefix`, in byte order of their keys; one folder's names in memory at a time. */
export async function* listObjects(root: string, prefix: string): AsyncGenerator<ObjectInfo> {
  yield* walk(root, prefix.slice(0, prefix.lastIndexOf('/') + 1), prefix);
}

async function* walk(root: string, folder: string, prefix: string): AsyncGenerator<ObjectInfo> {
  for (const name of await namesIn(root, folder)) {
    const key = folder + name;
    if (!key.startsWith(prefix)) continue;
    if (key.endsWith('/')) {
      yield* walk(root, key, prefix);
    } else {
      const info = await statObject(join(root, key), key);
      if (info) yield info;
    }
  }
}

/** Files and folders of a folder in the order of the keys they lead to; folders end with a slash for that. */
async function namesIn(root: string, folder: string): Promise<string[]> {
  let entries: Dirent[];
  try {
    entries = await readdir(join(root, folder), { withFileTypes: true });
  } catch (error) {
    if (isAbsent(error)) return [];
    throw storageError('list', folder, error);
  }
  return entries
    .filter(
      (entry) => (entry.isFile() || entry.isDirectory()) && !(folder === '' && entry.name === TEMP_FOLDER),
    )
    .map((entry) => (entry.isDirectory() ? `${entry.name}/` : entry.name))
    .sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
}
