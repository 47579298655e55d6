import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { CodedError, SNIFF_BYTES, toCodedError } from '@earshot/domain';
import type { ObjectStorage } from '@earshot/storage';

/** Looks at a recording's first bytes; returns why they are refused. `sniffRecording` of libs/domain is one. */
export type Sniff = (first: Uint8Array) => CodedError | undefined;

/** Bytes of a recording that are durable but belong to no manifest yet. */
export interface StoredBytes {
  readonly key: string;
  readonly size_bytes: number;
  readonly sha256: string;
}

/**
 * Streams a recording into storage, hashing and counting on the way; memory stays flat. The first 16 KB are looked at
 * before anything is written. Throws `empty_file`, `too_large`, what `sniff` returns, or `invalid_request` when
 * `body` ends with an error; nothing is stored then and `body` is destroyed.
 */
export async function storeBytes(
  storage: ObjectStorage,
  key: string,
  body: Readable,
  limits: { readonly maxBytes: number; readonly sniff: Sniff },
): Promise<StoredBytes> {
  const chunks = chunksOf(body);
  try {
    const head = await takeHead(chunks);
    const refusal = limits.sniff(Buffer.concat(head).subarray(0, SNIFF_BYTES));
    if (head.length === 0) throw new CodedError('empty_file');
    if (refusal) throw refusal;
    const meter = { hash: createHash('sha256'), size: 0 };
    await storage.put(key, Readable.from(metered(head, chunks, meter, limits.maxBytes)));
    return { key, size_bytes: meter.size, sha256: meter.hash.digest('hex') };
  } finally {
    await chunks.return(undefined);
  }
}

async function* chunksOf(body: Readable): AsyncGenerator<Buffer, undefined> {
  try {
    for await (const chunk of body) yield chunk as Buffer;
  } catch (error) {
    const coded = toCodedError(error, 'invalid_request');
    if (coded.code !== 'invalid_request') throw coded;
    throw new CodedError('invalid_request', 'the recording broke off before its end', { cause: error });
  } finally {
    body.destroy();
  }
  return undefined;
}

async function takeHead(chunks: AsyncGenerator<Buffer, undefined>): Promise<Buffer[]> {
  const head: Buffer[] = [];
  for (let size = 0; size < SNIFF_BYTES; ) {
    const next = await chunks.next();
    if (next.done) break;
    if (next.value.length > 0) head.push(next.value);
    size += next.value.length;
  }
  return head;
}

async function* metered(
  head: Buffer[],
  rest: AsyncIterable<Buffer>,
  meter: { hash: ReturnType<typeof createHash>; size: number },
  maxBytes: number,
): AsyncGenerator<Buffer> {
  for await (const chunk of joined(head, rest)) {
    meter.size += chunk.length;
    if (meter.size > maxBytes) {
      throw new CodedError('too_large', `the recording has more than ${maxBytes} bytes`);
    }
    meter.hash.update(chunk);
    yield chunk;
  }
}

async function* joined(head: Buffer[], rest: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  yield* head;
  yield* rest;
}
