import { execFile } from 'node:child_process';
import { open, rm, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { tempFolder } from './temp-folder.ts';

const run = promisify(execFile);

/** A small file system in memory; `path` is its root, open to all users. */
export interface SmallDisk {
  readonly path: string;
  /** Uses up what is left, so that the next write meets ENOSPC. */
  fill(): Promise<void>;
  /** Gives back what `fill` took. */
  free(): Promise<void>;
  /** Changes its size, as a volume that is enlarged under a running system. */
  resize(megabytes: number): Promise<void>;
  /** Unmounts it, in use or not, and removes the folder. */
  remove(): Promise<void>;
}

/** Room that is left for what is written while a disk is being made smaller. */
const SPARE_BLOCKS = 256;

/**
 * Mounts a file system of so many megabytes; `undefined` where that is not allowed (it takes root, on Linux): a test must
 * then say so, and not pass in silence.
 */
export async function smallDisk(megabytes: number): Promise<SmallDisk | undefined> {
  const folder = await tempFolder();
  const { path } = folder;
  let size = `${megabytes}m`;
  const limit = (to: string) => run('mount', ['-o', `remount,size=${to}`, path]);
  try {
    await run('mount', ['-t', 'tmpfs', '-o', `size=${size},mode=755`, 'earshot-test', path]);
  } catch {
    await folder.remove();
    return undefined;
  }
  const filling = join(path, '.filling');
  return {
    path,
    fill: async () => {
      const { blocks, bfree, bsize } = await statfs(path);
      // Smaller first, so that little memory is taken; refused where more was written meanwhile, and then not needed.
      await limit(`${(blocks - bfree + SPARE_BLOCKS) * bsize}`).catch(() => undefined);
      const handle = await open(filling, 'a');
      const piece = Buffer.alloc(64 * 1024);
      try {
        for (let bytes = piece.length; bytes > 0; ) {
          const written = await handle.write(piece, 0, bytes).catch(() => ({ bytesWritten: 0 }));
          if (written.bytesWritten === 0) bytes = Math.floor(bytes / 2);
        }
      } finally {
        await handle.close();
      }
    },
    free: async () => {
      await rm(filling, { force: true });
      await limit(size);
    },
    resize: async (to) => {
      size = `${to}m`;
      await limit(size);
    },
    remove: async () => {
      await run('umount', ['--lazy', path]);
      await folder.remove();
    },
  };
}
