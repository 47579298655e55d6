import { link, mkdir, realpath, rename, rm, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { CodedError } from '@earshot/domain';
import { type ByteRange, checkKey, type ObjectInfo, type ObjectStorage } from '@earshot/storage';
import { errnoOf, isAbsent, missing, storageError } from './errors.ts';
import { placeIn, pruneAbove } from './folders.ts';
import { listObjects } from './list.ts';
import { locate, TEMP_FOLDER } from './locate.ts';
import { requireStore } from './presence.ts';
import { infoOf, openObject, statObject } from './read.ts';
import { type TempFile, TempFiles } from './temp-files.ts';

const DEFAULT_READ_LIMIT = 4 * 1024 * 1024;

/** Where the objects lie. */
export interface FileStorageOptions {
  /** Folder of the store; made when absent. All processes of an installation must see the same one. */
  readonly root: string;
  /** Unfinished writes untouched for this long are removed, at most once an hour. Default 24. */
  readonly staleHours?: number;
}

/**
 * An object store in a folder. The file system must have hard links (create-only writes rest on them) and tell
 * upper from lower case. A volume that goes away is `unavailable`, never an empty store. A key cannot be the folder of another one (`forbidden_key`). `close` waits for a sweep.
 */
export async function openFileStorage(options: FileStorageOptions): Promise<ObjectStorage> {
  try {
    await mkdir(join(options.root, TEMP_FOLDER), { recursive: true });
    return new FileStorage(await realpath(options.root), (options.staleHours ?? 24) * 3_600_000);
  } catch (error) {
    throw storageError('open', 'the store', error);
  }
}

class FileStorage implements ObjectStorage {
  readonly #root: string;
  readonly #temp: TempFiles;

  constructor(root: string, staleMs: number) {
    this.#root = root;
    this.#temp = new TempFiles(join(root, TEMP_FOLDER), staleMs);
  }

  async put(key: string, body: Readable | Uint8Array): Promise<ObjectInfo> {
    return this.#write(key, body, async (path, temp) => {
      await placeIn(path, () => rename(temp.path, path));
      return infoOf(key, temp.size, temp.inode, temp.mtimeNs);
    });
  }

  async create(key: string, body: Readable | Uint8Array): Promise<boolean> {
    return this.#write(key, body, async (path, temp) => {
      await placeIn(path, () => link(temp.path, path));
      return true;
    }).catch((error) => {
      if (errnoOf((error as Error).cause) === 'EEXIST') return false;
      throw error;
    });
  }

  async get(key: string, range?: ByteRange): Promise<Readable> {
    if (range) checkRange(range);
    const handle = await this.#open(key);
    if (!handle) throw missing(key);
    return handle.createReadStream({ ...range, highWaterMark: 256 * 1024 });
  }

  async read(key: string, maxBytes = DEFAULT_READ_LIMIT): Promise<Buffer | undefined> {
    const handle = await this.#open(key);
    if (!handle) return undefined;
    try {
      const { size } = await handle.stat();
      if (size > maxBytes) throw new CodedError('storage_error', `${key} has more than ${maxBytes} bytes`);
      return await handle.readFile();
    } catch (error) {
      throw storageError('read', key, error);
    } finally {
      await handle.close();
    }
  }

  async stat(key: string): Promise<ObjectInfo | undefined> {
    const info = await statObject(await this.#locate(key), key);
    if (!info) await this.ping();
    return info;
  }

  async *list(prefix: string): AsyncGenerator<ObjectInfo> {
    if (prefix !== '') await this.#locate(`${checkKey(prefix.replace(/\/$/, ''))}/x`);
    let any = false;
    for await (const info of listObjects(this.#root, prefix)) {
      any = true;
      yield info;
    }
    if (!any) await this.ping();
  }

  async delete(key: string): Promise<void> {
    const path = await this.#locate(key);
    try {
      await unlink(path);
    } catch (error) {
      // A folder is no object; some systems answer EPERM for it.
      const folder = errnoOf(error) === 'EPERM' && !(await statObject(path, key));
      if (!isAbsent(error) && !folder) throw storageError('delete', key, error);
      await this.ping();
    }
    await pruneAbove(path, this.#root);
  }

  async localFile(key: string): Promise<{ path: string; release(): Promise<void> }> {
    const path = await this.#locate(key);
    if (!(await this.stat(key))) throw missing(key);
    return { path, release: async () => undefined };
  }

  ping(): Promise<void> {
    return requireStore(this.#root);
  }

  async close(): Promise<void> {
    await this.#temp.settled();
  }

  async #locate(key: string): Promise<string> {
    try {
      return await locate(this.#root, key);
    } catch (error) {
      // Without its root every key seems to lead somewhere else.
      await this.ping();
      throw storageError('find', key, error);
    }
  }

  async #open(key: string) {
    const handle = await openObject(await this.#locate(key), key);
    if (!handle) await this.ping();
    return handle;
  }

  /** Body to a temporary file, then `commit`; whatever fails, no temporary file and no open body is left. */
  async #write<T>(
    key: string,
    body: Readable | Uint8Array,
    commit: (path: string, temp: TempFile) => Promise<T>,
  ): Promise<T> {
    // An error of the body before it is read would otherwise end the process.
    if (body instanceof Readable) body.on('error', () => undefined);
    let temp: TempFile | undefined;
    try {
      const path = await this.#locate(key);
      temp = await this.#temp.write(key, body);
      return await commit(path, temp).catch((error) => {
        throw storageError('write', key, error);
      });
    } finally {
      if (body instanceof Readable) body.destroy();
      if (temp) await rm(temp.path, { force: true }).catch(() => undefined);
    }
  }
}

function checkRange({ start, end }: ByteRange): void {
  const whole = Number.isSafeInteger(start) && (end === undefined || Number.isSafeInteger(end));
  if (!whole || start < 0 || (end ?? start) < start) throw new RangeError('a byte range runs from 0 upwards');
}
