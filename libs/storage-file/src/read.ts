import { constants } from 'node:fs';
import { type FileHandle, lstat, open } from 'node:fs/promises';
import type { ObjectInfo } from '@earshot/storage';
import { isAbsent, storageError } from './errors.ts';

// Without O_NONBLOCK opening a named pipe would wait for ever.
const READ = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** Opens an object for reading; `undefined` when there is none. The caller closes the handle. */
export async function openObject(path: string, key: string): Promise<FileHandle | undefined> {
  let handle: FileHandle;
  try {
    handle = await open(path, READ);
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw storageError('read', key, error);
  }
  if ((await handle.stat()).isFile()) return handle;
  await handle.close();
  return undefined;
}

/** What is known of an object; `undefined` when there is none. Links and folders are no objects. */
export async function statObject(path: string, key: string): Promise<ObjectInfo | undefined> {
  try {
    const info = await lstat(path, { bigint: true });
    return info.isFile() ? infoOf(key, info.size, info.ino, info.mtimeNs) : undefined;
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw storageError('look at', key, error);
  }
}

/** Every write makes a new file, so inode and time of change name one version. */
export function infoOf(key: string, size: bigint, inode: bigint, mtimeNs: bigint): ObjectInfo {
  return {
    key,
    size_bytes: Number(size),
    version: `${inode.toString(36)}-${mtimeNs.toString(36)}-${size.toString(36)}`,
    modified_at: new Date(Number(mtimeNs / 1_000_000n)),
  };
}
