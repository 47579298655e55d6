import { setTimeout as pause } from 'node:timers/promises';
import { CodedError } from '@earshot/domain';
import type { Logger } from '@earshot/service-kit';
import { type Figures, type FiguresDeps, readFigures } from './read-figures.ts';

const EVERY_MS = 5_000;
/** What the database has to add up grows with the backlog; it does so for at most a tenth of the time. */
const REST = 9;
const LONGEST_MS = 60_000;
/** Until there are any: a database that is slow at the start must not leave out figures for long. */
const SOON_MS = 250;
/** Figures are told until three looks failed, and for half a minute at least. */
const STALE_MS = 30_000;
const LOOKS = 3;

/** The figures as they were a few seconds ago (a minute ago at most, with a very large backlog), at no cost. */
export interface FigureKeeper {
  /** Waits for the first ones only; throws `unavailable` when they cannot be read any more. */
  latest(): Promise<Figures>;
  stop(): Promise<void>;
}

/** Reads the figures every few seconds until it is stopped, so that a scrape need not wait for them. */
export function keepFigures({ log, ...deps }: FiguresDeps & { readonly log: Logger }): FigureKeeper {
  const stop = new AbortController();
  let kept: { readonly figures: Figures; readonly at: number } | undefined;
  let restMs = EVERY_MS;
  const look = async () => {
    const started = performance.now();
    try {
      const figures = await readFigures(deps, kept?.figures);
      kept = { figures, at: performance.now() };
      restMs = restAfter(kept.at - started);
    } catch (err) {
      log.debug({ err }, 'the figures cannot be read now');
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
      const staleMs = Math.max(STALE_MS, LOOKS * restMs);
      if (kept && performance.now() - kept.at < staleMs) return kept.figures;
      throw new CodedError('unavailable', 'the figures of the queues cannot be read now');
    },
    stop: () => {
      stop.abort();
      return running;
    },
  };
}

/** How long to leave the database alone after a look that took `tookMs`. */
const restAfter = (tookMs: number) => Math.min(LONGEST_MS, Math.max(EVERY_MS, REST * tookMs));
