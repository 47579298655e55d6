import type { Readable } from 'node:stream';

/** What is known of a stored object. */
export interface ObjectInfo {
  readonly key: string;
  readonly size_bytes: number;
  /** Changes whenever the object is written; usable as an HTTP ETag. */
  readonly version: string;
  readonly modified_at: Date;
}

/** A part of an object: `start` inclusive, `end` inclusive, in bytes. */
export interface ByteRange {
  readonly start: number;
  readonly end?: number;
}

/**
 * Objects under keys of the form `a/b/c`. Keys are checked with {@link checkKey}; a bad one throws `forbidden_key`.
 * Failures of the store throw `storage_error`, a full one `storage_full`, one that cannot be reached `unavailable`: an
 * object is missing only when the store says so.
 */
export interface ObjectStorage {
  /** Writes or replaces an object; it is visible only when complete. */
  put(key: string, body: Readable | Uint8Array): Promise<ObjectInfo>;
  /** Writes an object only if the key is free, atomically against all other writers; `false` when it is taken. */
  create(key: string, body: Readable | Uint8Array): Promise<boolean>;
  /** Opens an object; throws `missing_object`. The caller consumes or destroys the stream. */
  get(key: string, range?: ByteRange): Promise<Readable>;
  /** Reads a small object whole; `undefined` when there is none, `storage_error` above `maxBytes` (default 4 MiB). */
  read(key: string, maxBytes?: number): Promise<Buffer | undefined>;
  stat(key: string): Promise<ObjectInfo | undefined>;
  /** Keys under a prefix in order. */
  list(prefix: string): AsyncIterable<ObjectInfo>;
  /** Removes an object; no error when there is none. */
  delete(key: string): Promise<void>;
  /**
   * A file on this machine with the object's bytes, for decoders that must seek; `release` removes it if it is a
   * copy. Throws `missing_object`.
   */
  localFile(key: string): Promise<{ path: string; release(): Promise<void> }>;
  /**
   * Where a vendor of the same cloud reads an object by itself, e.g. `gs://bucket/key`, whether or not there is one; undefined,
   * or no such function, where none can.
   */
  addressOf?(key: string): string | undefined;
  /**
   * An address under which anybody can read the object (`GET`) or write it (`PUT`) for `expiresMs` (at most 7 days),
   * whether or not there is one; no such function where the store cannot give one.
   */
  signedUrl?(
    key: string,
    options: { readonly method: 'GET' | 'PUT'; readonly expiresMs: number },
  ): Promise<string>;
  /** Rejects with `unavailable` while the store cannot be reached. */
  ping(): Promise<void>;
  /** Frees connections. Idempotent. */
  close(): Promise<void>;
}
