import { once } from 'node:events';
import { finished, PassThrough, type Readable } from 'node:stream';
import type { ByteRange, ObjectInfo } from '@earshot/storage';
import type { File, FileMetadata } from '@google-cloud/storage';
import { endSilentReading, within } from './silence.ts';

/**
 * Opens the bytes of an object; resolves when the store has begun to answer, so that the reader has this version to its end.
 * The whole of an object is checked by crc32c. Throws the library's error.
 */
export async function openBytes(
  file: File,
  range: ByteRange | undefined,
  silenceMs: number,
): Promise<Readable> {
  const bytes = file.createReadStream(range ? { ...range } : { validation: 'crc32c' });
  try {
    await within(silenceMs, answerOf(bytes));
    return bytes;
  } catch (error) {
    bytes.on('error', () => undefined).destroy();
    throw error;
  }
}

async function answerOf(bytes: Readable): Promise<void> {
  const answered = once(bytes, 'response');
  bytes.read(0);
  const [response] = (await answered) as [{ statusCode?: number }];
  // What is no success ends the stream with the reason, which comes a little later.
  if ((response.statusCode ?? 500) >= 300) await once(bytes, 'close');
}

/** The same bytes, broken off when none come for `silenceMs`; what they break off with is turned into another error. */
export function withErrors(bytes: Readable, silenceMs: number, turned: (error: Error) => Error): Readable {
  const out = new PassThrough();
  endSilentReading(bytes, out, silenceMs);
  finished(bytes, (error) => error && out.destroy(turned(error)));
  finished(out, () => bytes.destroy());
  return bytes.pipe(out);
}

/** What the store says of an object, under a key of ours. */
export const infoOf = (key: string, { size, generation, updated }: FileMetadata): ObjectInfo => ({
  key,
  size_bytes: Number(size),
  version: String(generation),
  modified_at: new Date(updated ?? 0),
});
