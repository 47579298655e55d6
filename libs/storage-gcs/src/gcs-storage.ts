import type { Readable } from 'node:stream';
import { CodedError } from '@earshot/domain';
import { type ByteRange, checkKey, type ObjectInfo, type ObjectStorage } from '@earshot/storage';
import type { Bucket, File } from '@google-cloud/storage';
import { connectBucket, type GcsAccess } from './connect.ts';
import { gcsError, missing, statusOf } from './errors.ts';
import { localCopy } from './local-copy.ts';
import { infoOf, openBytes, withErrors } from './read.ts';
import { SILENCE_MS, within } from './silence.ts';
import { BodyError, writeObject } from './write.ts';

const DEFAULT_READ_LIMIT = 4 * 1024 * 1024;
const PAGE = 1_000;

/** Where the objects lie, and as whom they are asked for. */
export interface GcsOptions extends GcsAccess {
  readonly bucket: string;
  /** Folder of all keys in the bucket, without slashes at its ends. Default: none. */
  readonly prefix?: string | undefined;
  /** A store that says nothing for so long is `unavailable`. Default: 30 s. */
  readonly silenceMs?: number | undefined;
}

/**
 * An object store in a bucket of Google Cloud Storage. Nothing is asked of it before the first call. A bucket that is not
 * there, or may not be used, is `unavailable`, never an empty store. Objects whose names are no keys are not listed.
 */
export const createGcsStorage = (options: GcsOptions): ObjectStorage => new GcsStorage(options);

class GcsStorage implements ObjectStorage {
  readonly #bucket: Bucket;
  readonly #prefix: string;
  readonly #silenceMs: number;

  constructor({ bucket, prefix, silenceMs = SILENCE_MS, ...access }: GcsOptions) {
    this.#silenceMs = silenceMs;
    this.#bucket = connectBucket(bucket, access);
    this.#prefix = prefix ? `${checkKey(prefix)}/` : '';
  }

  async put(key: string, body: Readable | Uint8Array): Promise<ObjectInfo> {
    const metadata = await this.#write(key, body, false);
    return infoOf(key, metadata ?? {});
  }

  async create(key: string, body: Readable | Uint8Array): Promise<boolean> {
    return (await this.#write(key, body, true)) !== undefined;
  }

  async get(key: string, range?: ByteRange): Promise<Readable> {
    if (range) checkRange(range);
    const file = this.#file(key);
    const opening = openBytes(file, range, this.#silenceMs);
    const bytes = await opening.catch((error) => this.#absentOr(error, 'read', key));
    if (!bytes) throw missing(key);
    return withErrors(bytes, this.#silenceMs, (error) => this.#error('read', key, error));
  }

  async read(key: string, maxBytes = DEFAULT_READ_LIMIT): Promise<Buffer | undefined> {
    const bytes = await this.get(key).catch((error) => {
      if ((error as CodedError).code === 'missing_object') return undefined;
      throw error;
    });
    if (!bytes) return undefined;
    const parts: Buffer[] = [];
    let size = 0;
    for await (const part of bytes) {
      size += (part as Buffer).length;
      if (size > maxBytes) throw new CodedError('storage_error', `${key} has more than ${maxBytes} bytes`);
      parts.push(part as Buffer);
    }
    return Buffer.concat(parts);
  }

  async stat(key: string): Promise<ObjectInfo | undefined> {
    const asking = within(this.#silenceMs, this.#file(key).getMetadata());
    const answer = await asking.catch((error) => this.#absentOr(error, 'look at', key));
    return answer && infoOf(key, answer[0]);
  }

  async *list(prefix: string): AsyncGenerator<ObjectInfo> {
    if (prefix !== '') checkKey(prefix.replace(/\/$/, ''));
    const query = { prefix: this.#prefix + prefix, maxResults: PAGE, autoPaginate: false };
    for (let pageToken: string | undefined; ; ) {
      const [files, next] = await this.#page({ ...query, ...(pageToken ? { pageToken } : {}) });
      for (const { name, metadata } of files) {
        const key = name.slice(this.#prefix.length);
        if (isKey(key)) yield infoOf(key, metadata);
      }
      pageToken = next?.pageToken;
      if (!pageToken) return;
    }
  }

  async delete(key: string): Promise<void> {
    const asking = within(this.#silenceMs, this.#file(key).delete());
    await asking.catch((error) => this.#absentOr(error, 'delete', key));
  }

  async localFile(key: string): Promise<{ path: string; release(): Promise<void> }> {
    return localCopy(await this.get(key));
  }

  addressOf(key: string): string {
    return `gs://${this.#bucket.name}/${this.#prefix}${checkKey(key)}`;
  }

  async signedUrl(
    key: string,
    { method, expiresMs }: { readonly method: 'GET' | 'PUT'; readonly expiresMs: number },
  ): Promise<string> {
    const action = method === 'GET' ? 'read' : 'write';
    const expires = Date.now() + expiresMs;
    try {
      const signing = this.#file(key).getSignedUrl({ version: 'v4', action, expires });
      const [url] = await within(this.#silenceMs, signing);
      return url;
    } catch (error) {
      throw this.#error('sign an address of', key, error);
    }
  }

  /** By a list, which needs no more rights than the rest: to look at a bucket itself needs another one. */
  async ping(): Promise<void> {
    await this.#page({ prefix: this.#prefix, maxResults: 1, autoPaginate: false });
  }

  async close(): Promise<void> {
    // The library keeps no connection that would hold a process up.
  }

  #file(key: string): File {
    return this.#bucket.file(this.#prefix + checkKey(key));
  }

  async #write(key: string, body: Readable | Uint8Array, onlyNew: boolean) {
    try {
      return await writeObject(this.#file(key), body, onlyNew, this.#silenceMs);
    } catch (error) {
      throw error instanceof BodyError ? error.cause : this.#error('write', key, error);
    }
  }

  /** One page, and how to ask for the next. */
  async #page(query: object): Promise<[File[], { pageToken?: string } | null]> {
    try {
      const [files, next] = await within(this.#silenceMs, this.#bucket.getFiles(query));
      return [files, next as { pageToken?: string } | null];
    } catch (error) {
      throw this.#error('list', this.#prefix || 'the bucket', error);
    }
  }

  /** Undefined when the store says that it has no such object; throws when anything else is meant. */
  async #absentOr(error: unknown, action: string, key: string): Promise<undefined> {
    if (statusOf(error) !== 404) throw this.#error(action, key, error);
    // Without its bucket every object looks missing.
    if (!/no such object/i.test((error as Error).message)) await this.ping();
    return undefined;
  }

  #error(action: string, key: string, cause: unknown): CodedError {
    return gcsError(`${action} ${key}`, this.#bucket.name, cause);
  }
}

function isKey(name: string): boolean {
  try {
    return checkKey(name) === name;
  } catch {
    return false;
  }
}

function checkRange({ start, end }: ByteRange): void {
  const whole = Number.isSafeInteger(start) && (end === undefined || Number.isSafeInteger(end));
  if (!whole || start < 0 || (end ?? start) < start) throw new RangeError('a byte range runs from 0 upwards');
}
