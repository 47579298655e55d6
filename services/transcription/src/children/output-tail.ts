import type { Readable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
import { setTimeout as pause } from 'node:timers/promises';

const KEPT_CHARACTERS = 2048;
const QUIET_MS = 20;
const PATIENCE_MS = 500;

/** The end of what a child wrote. */
export interface OutputTail {
  /** The last 2 KB that came so far. */
  text(): string;
  /** Resolves when nothing more comes, after half a second at most: answers and words travel in different pipes. */
  quiet(): Promise<void>;
}

/** Drains what a child writes, so that it never blocks on a full pipe, and keeps the end of it. */
export function outputTail(...streams: (Readable | null)[]): OutputTail {
  let tail = '';
  let pieces = 0;
  for (const stream of streams) {
    const decoder = new StringDecoder('utf8');
    stream?.on('data', (bytes: Buffer) => {
      tail = (tail + decoder.write(bytes)).slice(-KEPT_CHARACTERS);
      pieces += 1;
    });
  }
  const quiet = async () => {
    for (let waited = 0; waited < PATIENCE_MS; waited += QUIET_MS) {
      const before = pieces;
      await pause(QUIET_MS);
      if (pieces === before) return;
    }
  };
  return { text: () => tail, quiet };
}
