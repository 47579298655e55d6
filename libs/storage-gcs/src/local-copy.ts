import { createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
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

/** Writes `bytes` to a file that only this user reads. Nothing is left when that fails: `storage_full` without room. */
export async function localCopy(bytes: Readable): Promise<LocalCopy> {
  const folder = await mkdtemp(join(tmpdir(), 'earshot-object-'));
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
