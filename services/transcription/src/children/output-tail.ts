import type { Readable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';

const KEPT_CHARACTERS = 2048;

/** Drains what a child writes, so that it never blocks on a full pipe, and keeps the last 2 KB. */
export function outputTail(...streams: (Readable | null)[]): () => string {
  let tail = '';
  for (const stream of streams) {
    const decoder = new StringDecoder('utf8');
    stream?.on('data', (bytes: Buffer) => {
      tail = (tail + decoder.write(bytes)).slice(-KEPT_CHARACTERS);
    });
  }
  return () => tail;
}
