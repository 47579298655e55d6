import type { Logger } from '@earshot/service-kit';
import { keepLatest, type Latest } from '../keep-latest.ts';
import { type Figures, type FiguresDeps, readFigures } from './read-figures.ts';

/** The figures as they were a few seconds ago: what the database has to add up grows with the backlog, a minute at most. */
export type FigureKeeper = Latest<Figures>;

export function keepFigures({ log, ...deps }: FiguresDeps & { readonly log: Logger }): FigureKeeper {
  return keepLatest({
    what: 'the figures of the queues',
    read: (before) => readFigures(deps, before),
    ...{ everyMs: 5_000, longestMs: 60_000, staleMs: 30_000 },
    log,
  });
}
