import { randomUUID } from 'node:crypto';
import { type FileHandle, open, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { errnoOf, storageError } from './errors.ts';
import { storeGone } from './presence.ts';

const SWEEP_EVERY_MS = 3_600_000;

/** A complete, fsynced file that no reader sees yet. */
export interface TempFile {
  readonly path: string;
  readonly size: bigint;
  readonly inode: bigint;
  readonly mtimeNs: bigint;
}

/** Unfinished writes in one folder, and the removal of those whose writer died. */
export class TempFiles {
  readonly #folder: string;
  readonly #staleMs: number;
  #sweptAt = Number.NEGATIVE_INFINITY;
  #sweep: Promise<void> = Promise.resolve();

  constructor(folder: string, staleMs: number) {
    this.#folder = folder;
    this.#staleMs = staleMs;
  }

  /** Writes `body` to a new file and syncs it. Fails with the body's own error, or a coded one of the store. */
  async write(key: string, body: Readable | Uint8Array): Promise<TempFile> {
    const path = join(this.#folder, randomUUID());
    try {
      this.#sweepSometimes();
      // The folder is never made here: a write to where a volume was would be hidden once it is back.
      const handle = await open(path, 'wx', 0o640).catch((error) => {
        throw errnoOf(error) === 'ENOENT' ? storeGone(error) : storageError('write', key, error);
      });
      return await fill(handle, path, key, body);
    } catch (error) {
      await rm(path, { force: true }).catch(() => undefined);
      throw error;
    }
  }

  /** Waits for a running sweep. */
  settled(): Promise<void> {
    return this.#sweep;
  }

  #sweepSometimes(): void {
    if (performance.now() - this.#sweptAt < SWEEP_EVERY_MS) return;
    this.#sweptAt = performance.now();
    this.#sweep = sweep(this.#folder, Date.now() - this.#staleMs).catch(() => undefined);
  }
}

async function fill(
  handle: FileHandle,
  path: string,
  key: string,
  body: Readable | Uint8Array,
): Promise<TempFile> {
  const coded = (error: unknown): never => {
    throw storageError('write', key, error);
  };
  try {
    if (body instanceof Uint8Array) await writeAll(handle, body).catch(coded);
    else for await (const chunk of body) await writeAll(handle, chunk as Uint8Array).catch(coded);
    await handle.sync().catch(coded);
    const info = await handle.stat({ bigint: true }).catch(coded);
    return { path, size: info.size, inode: info.ino, mtimeNs: info.mtimeNs };
  } finally {
    await handle.close();
  }
}

async function writeAll(handle: FileHandle, chunk: Uint8Array | string): Promise<void> {
  const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
  for (let done = 0; done < bytes.length; ) {
    done += (await handle.write(bytes, done, bytes.length - done)).bytesWritten;
  }
}

/** A living writer touches its file with every chunk, so an old time of change means a dead one. */
async function sweep(folder: string, before: number): Promise<void> {
  for (const name of await readdir(folder)) {
    const path = join(folder, name);
    const info = await stat(path).catch(() => undefined);
    if (info && info.mtimeMs < before) await rm(path, { force: true });
  }
}
