import { setTimeout as pause } from 'node:timers/promises';
import { CodedError } from '@earshot/domain';
import type { Logger } from '@earshot/service-kit';
import { type Figures, type FiguresDeps, readFigures } from './read-figures.ts';

const EVERY_MS = 5_000;
/** Until there are any: a database that is slow at the start must not leave out figures for long. */
const SOON_MS = 250;
const STALE_MS = 30_000;

/** The figures as they were a few seconds ago, at no cost. */
export interface FigureKeeper {
  /** Waits for the first ones only; throws `unavailable` when they could not be read for half a minute. */
  latest(): Promise<Figures>;
  stop(): Promise<void>;
}

/** Reads the figures every few seconds until it is stopped, so that a scrape need not wait for them. */
export function keepFigures({ log, ...deps }: FiguresDeps & { readonly log: Logger }): FigureKeeper {
  const stop = new AbortController();
  let kept: { readonly figures: Figures; readonly at: number } | undefined;
  const look = async () => {
    try {
      kept = { figures: await readFigures(deps, kept?.figures), at: performance.now() };
    } catch (err) {
      log.debug({ err }, 'the figures cannot be read now');
    }
  };
  const first = look();
  const run = async () => {
    await first;
    while (!stop.signal.aborted) {
      await pause(kept ? EVERY_MS : SOON_MS, undefined, { signal: stop.signal }).catch(() => undefined);
      if (!stop.signal.aborted) await look();
    }
  };
  const running = run();
  return {
    latest: async () => {
      await first;
      if (kept && performance.now() - kept.at < STALE_MS) return kept.figures;
      throw new CodedError('unavailable', 'the figures of the queues cannot be read now');
    },
    stop: () => {
      stop.abort();
      return running;
    },
  };
}
