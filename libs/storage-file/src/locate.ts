import { realpath } from 'node:fs/promises';
import { dirname, join, sep } from 'node:path';
import { checkKey } from '@earshot/storage';
import { errnoOf, leavesRoot } from './errors.ts';

/** Folder of unfinished writes; on the root's file system, so that rename and link are atomic. */
export const TEMP_FOLDER = '.earshot-tmp';

/** The path of an object. Throws `forbidden_key` for a bad key and for one that a link leads out of `root`. */
export async function locate(root: string, key: string): Promise<string> {
  checkKey(key);
  if (key === TEMP_FOLDER || key.startsWith(`${TEMP_FOLDER}/`)) throw leavesRoot(key);
  const path = join(root, key);
  const parent = await nearestRealFolder(dirname(path));
  if (parent !== root && !parent.startsWith(root + sep)) throw leavesRoot(key);
  return path;
}

async function nearestRealFolder(folder: string): Promise<string> {
  try {
    return await realpath(folder);
  } catch (error) {
    const errno = errnoOf(error);
    if (errno !== 'ENOENT' && errno !== 'ENOTDIR') throw error;
    return nearestRealFolder(dirname(folder));
  }
}
