import { createWriteStream } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { CodedError } from '@earshot/domain';

/** A copy in the folder for temporary files. */
export interface LocalCopy {
  readonly path: string;
  /** Removes it. Idempotent. */
  release(): Promise<void>;
}

/** Folders of copies: which process made one is in its name. */
const FOLDER = 'earshot-object-';
const OWNED = /^earshot-object-(\d+)-/;

/** Writes `bytes` to a file that only this user reads. Nothing is left when that fails: `storage_full` without room. */
export async function localCopy(bytes: Readable): Promise<LocalCopy> {
  const folder = await mkdtemp(join(tmpdir(), `${FOLDER}${process.pid}-`));
  const release = () => rm(folder, { recursive: true, force: true });
  const path = join(folder, 'bytes');
  try {
    await pipeline(bytes, createWriteStream(path, { mode: 0o600 }));
    return { path, release };
  } catch (error) {
    await release();
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
    throw new CodedError('storage_full', 'no room for a copy of the recording on this machine', {
      cause: error,
    });
  }
}

/**
 * Removes the copies of processes that are gone: one that was killed could not. Call it before this process makes any: what
 * bears its number is of another that had it before, as in a container that was started again.
 */
export async function sweepCopies(): Promise<void> {
  const folder = tmpdir();
  const left = (await readdir(folder)).filter((name) => isLeft(OWNED.exec(name)?.[1]));
  await Promise.all(left.map((name) => rm(join(folder, name), { recursive: true, force: true })));
}

function isLeft(pid: string | undefined): boolean {
  if (pid === undefined) return false;
  if (Number(pid) === process.pid) return true;
  try {
    process.kill(Number(pid), 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}
