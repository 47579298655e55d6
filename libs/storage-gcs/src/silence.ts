import { finished, type Readable, type Writable } from 'node:stream';
import { CodedError } from '@earshot/domain';

/** So long a store may say nothing before it counts as away. Whole requests get the time that slow lines take on top. */
export const SILENCE_MS = 30_000;
/** A line that carries less, in bytes a millisecond, is as good as none. */
const SLOWEST_LINE = 64;

/** The time that a request with a body of so many bytes may take. */
export const requestMs = (silenceMs: number, bytes: number) => silenceMs + bytes / SLOWEST_LINE;

/** Rejects with `unavailable` when `work` takes longer than `ms`: the library waits for some answers for ever. */
export async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(silent(ms)), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Ends `from` with `unavailable` when nothing has come out of it for `ms`, while `to`, which it is about to be piped into, had
 * room: a slow reader is no silence.
 */
export function endSilentReading(from: Readable, to: Writable, ms: number): void {
  const timer = setTimeout(() => {
    if (to.writableNeedDrain) timer.refresh();
    else from.destroy(silent(ms));
  }, ms);
  from.on('data', () => timer.refresh());
  to.on('drain', () => timer.refresh());
  finished(from, () => clearTimeout(timer));
}

/** Ends `upload` with `unavailable` when it has bytes to send, or waits for its answer, and got no further for `ms`. */
export function endSilentWriting(upload: Writable, ms: number): void {
  const timer = setTimeout(() => {
    if (upload.writableNeedDrain || upload.writableEnded) upload.destroy(silent(ms));
    else timer.refresh();
  }, ms);
  for (const event of ['progress', 'drain']) upload.on(event, () => timer.refresh());
  finished(upload, () => clearTimeout(timer));
}

const silent = (ms: number) =>
  new CodedError('unavailable', `Google Cloud Storage has said nothing for ${Math.round(ms / 1000)} s`);
