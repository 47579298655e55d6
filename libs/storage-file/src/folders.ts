import { mkdir, open, rmdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { errnoOf } from './errors.ts';

/** A parallel delete may prune a folder this often between its making and its use. */
const MAX_TRIES = 100;
/** Node's `mkdir` also says ENOTDIR of a folder that was pruned while it looked; a file in its place stays there. */
const TRIES_PAST_A_FILE = 5;

/**
 * Makes the folder of `path`, runs `place` (a rename or link to `path`) and syncs the folders, so that the name
 * survives a power cut. Repeats when a parallel delete pruned the folder in between.
 */
export async function placeIn(path: string, place: () => Promise<void>): Promise<void> {
  const folder = dirname(path);
  for (let left = MAX_TRIES; ; left -= 1) {
    try {
      const firstMade = await makeFolder(folder);
      await place();
      return await syncFolders(folder, firstMade === undefined ? folder : dirname(firstMade));
    } catch (error) {
      const errno = errnoOf(error);
      const pruned = errno === 'ENOENT' || (errno === 'ENOTDIR' && MAX_TRIES - left < TRIES_PAST_A_FILE);
      if (!pruned || left === 0) throw error;
    }
  }
}

async function makeFolder(folder: string): Promise<string | undefined> {
  try {
    return await mkdir(folder, { recursive: true });
  } catch (error) {
    // A file stands where a folder should: not the EEXIST of a taken key.
    if (errnoOf(error) === 'EEXIST') throw Object.assign(new Error('not a folder'), { code: 'ENOTDIR' });
    throw error;
  }
}

/** Removes the empty folders above a deleted object, up to but not including `root`. */
export async function pruneAbove(path: string, root: string): Promise<void> {
  for (let folder = dirname(path); folder !== root; folder = dirname(folder)) {
    const removed = await rmdir(folder).then(
      () => true,
      () => false,
    );
    if (!removed) return;
  }
}

async function syncFolders(from: string, upTo: string): Promise<void> {
  for (let folder = from; ; folder = dirname(folder)) {
    await syncFolder(folder);
    if (folder === upTo) return;
  }
}

async function syncFolder(folder: string): Promise<void> {
  // Windows cannot open folders; a pruned one has nothing left to sync.
  const handle = await open(folder, 'r').catch(() => undefined);
  if (!handle) return;
  try {
    await handle.sync().catch(() => undefined);
  } finally {
    await handle.close();
  }
}
