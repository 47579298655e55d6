import { Readable } from 'node:stream';
import type { ByteRange, ObjectStorage } from '../object-storage.ts';

/** The whole object as text. */
export async function text(storage: ObjectStorage, key: string, range?: ByteRange): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of await storage.get(key, range)) parts.push(part as Buffer);
  return Buffer.concat(parts).toString();
}

/** A stream of the given chunks; fails with `error` after them when one is given. */
export function stream(chunks: Iterable<Uint8Array | string>, error?: Error): Readable {
  return Readable.from(
    (async function* () {
      for (const chunk of chunks) yield Buffer.from(chunk);
      if (error) throw error;
    })(),
  );
}

/** The code of the error that `work` ends with, `none` when it ends well. */
export async function codeOf(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => 'none',
    (error) => String((error as { code?: unknown }).code),
  );
}

/** All keys under a prefix as listed. */
export async function keys(storage: ObjectStorage, prefix: string): Promise<string[]> {
  const found: string[] = [];
  for await (const info of storage.list(prefix)) found.push(info.key);
  return found;
}
