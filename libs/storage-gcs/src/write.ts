import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { File, FileMetadata } from '@google-cloud/storage';
import { statusOf } from './errors.ts';
import { endSilentWriting, requestMs, within } from './silence.ts';

/** Bodies up to here go in one request; longer ones in pieces of this size, each of which can be repeated. */
const PIECE_BYTES = 8 * 1024 * 1024;
/** Tells our own write from another's after an answer was lost. */
const MARK = 'earshot-write';

/** What failed was the body, not the store: `cause` is its error. */
export class BodyError extends Error {}

/**
 * Writes `body` to `file`, checked by crc32c; visible only when complete. `onlyNew` writes only where there is no object, and
 * gives undefined when there is one of another writer. `body` is consumed or destroyed. Throws {@link BodyError}, or the
 * library's error.
 */
export async function writeObject(
  file: File,
  body: Readable | Uint8Array,
  onlyNew: boolean,
  silenceMs: number,
): Promise<FileMetadata | undefined> {
  // An error of the body before it is read would otherwise end the process.
  if (body instanceof Readable) body.on('error', () => undefined);
  const mark = randomUUID();
  const options = {
    validation: 'crc32c',
    metadata: { contentType: 'application/octet-stream', metadata: { [MARK]: mark } },
    ...(onlyNew ? { preconditionOpts: { ifGenerationMatch: 0 } } : {}),
  };
  try {
    await send(file, body, options, silenceMs);
    return file.metadata;
  } catch (error) {
    if (!onlyNew || statusOf(error) !== 412) throw error;
    // The answer to a write that worked may have been lost, and the write repeated.
    const [found] = await within(silenceMs, file.getMetadata());
    return found.metadata?.[MARK] === mark ? found : undefined;
  } finally {
    if (body instanceof Readable) body.destroy();
  }
}

async function send(
  file: File,
  body: Readable | Uint8Array,
  options: object,
  silenceMs: number,
): Promise<void> {
  if (body instanceof Uint8Array && body.length <= PIECE_BYTES)
    return sendWhole(file, body, options, silenceMs);
  const parts = partsOf(body);
  const head = await takeHead(parts);
  if (head.ended) return sendWhole(file, Buffer.concat(head.parts), options, silenceMs);
  const upload = file.createWriteStream({ ...options, resumable: true, chunkSize: PIECE_BYTES });
  endSilentWriting(upload, silenceMs);
  await pipeline(Readable.from(joined(head.parts, parts)), upload);
}

async function sendWhole(file: File, bytes: Uint8Array, options: object, silenceMs: number): Promise<void> {
  const timeout = requestMs(silenceMs, bytes.length);
  const body = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  // The request itself ends at its time; fetching what it is allowed with does not.
  await within(timeout + silenceMs, file.save(body, { ...options, resumable: false, timeout }));
}

async function* partsOf(body: Readable | Uint8Array): AsyncGenerator<Uint8Array, undefined> {
  if (body instanceof Uint8Array) {
    for (let at = 0; at < body.length; at += PIECE_BYTES) yield body.subarray(at, at + PIECE_BYTES);
    return undefined;
  }
  try {
    for await (const part of body) yield typeof part === 'string' ? Buffer.from(part) : part;
  } catch (cause) {
    throw new BodyError('the body failed', { cause });
  }
  return undefined;
}

async function takeHead(parts: AsyncGenerator<Uint8Array, undefined>) {
  const head: Uint8Array[] = [];
  for (let size = 0; size <= PIECE_BYTES; ) {
    const next = await parts.next();
    if (next.done) return { parts: head, ended: true };
    head.push(next.value);
    size += next.value.length;
  }
  return { parts: head, ended: false };
}

async function* joined(head: Uint8Array[], rest: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  while (head.length > 0) yield head.shift() as Uint8Array;
  yield* rest;
}
