import { setTimeout as pause } from 'node:timers/promises';
import { CodedError } from '@earshot/domain';
import type { Logger } from '@earshot/service-kit';

/** Whoever is slow to answer is left alone for nine times as long: reading takes a tenth of the time at most. */
const REST = 9;
/** Until there is a first value: a source that is slow at the start must not leave it out for long. */
const SOON_MS = 250;
/** A value is told until three looks failed, and for `staleMs` at least. */
const LOOKS = 3;

export interface KeepLatestOptions<T> {
  /** What is read, as the log and the error say it. */
  readonly what: string;
  /** The value before this one may make it faster. */
  readonly read: (before: T | undefined) => Promise<T>;
  readonly everyMs: number;
  /** How seldom to read from a slow source. */
  readonly longestMs: number;
  readonly staleMs: number;
  readonly log: Logger;
}

/** A value as it was a moment ago, at no cost. */
export interface Latest<T> {
  /** Waits for the first one only; throws `unavailable` when it cannot be read any more. */
  latest(): Promise<T>;
  stop(): Promise<void>;
}

/** Reads a value again and again until it is stopped, so that a scrape need not wait for it. */
export function keepLatest<T>(options: KeepLatestOptions<T>): Latest<T> {
  const { what, read, everyMs, longestMs, staleMs, log } = options;
  const stop = new AbortController();
  let kept: { readonly value: T; readonly at: number } | undefined;
  let restMs = everyMs;
  const look = async () => {
    const started = performance.now();
    try {
      const value = await read(kept?.value);
      kept = { value, at: performance.now() };
      restMs = Math.min(longestMs, Math.max(everyMs, REST * (kept.at - started)));
    } catch (err) {
      log.debug({ err }, `${what} cannot be read now`);
    }
  };
  const first = look();
  const run = async () => {
    await first;
    while (!stop.signal.aborted) {
      await pause(kept ? restMs : SOON_MS, undefined, { signal: stop.signal }).catch(() => undefined);
      if (!stop.signal.aborted) await look();
    }
  };
  const running = run();
  return {
    latest: async () => {
      await first;
      if (kept && performance.now() - kept.at < Math.max(staleMs, LOOKS * restMs)) return kept.value;
      throw new CodedError('unavailable', `${what} cannot be read now`);
    },
    stop: () => {
      stop.abort();
      return running;
    },
  };
}

/** What JetStream says, a second old as a rule: a scrape waits for nobody. */
export function keepLive<T>(options: Pick<KeepLatestOptions<T>, 'what' | 'read' | 'log'>): Latest<T> {
  return keepLatest({ ...options, everyMs: 1_000, longestMs: 5_000, staleMs: 15_000 });
}
