import { setTimeout as pause } from 'node:timers/promises';
import { type Broker, readSpend, readWorkerStates } from '@earshot/messaging';
import type { Logger } from '@earshot/service-kit';
import type { Database } from '../store/database.ts';
import { readLeverRows } from '../store/sql/levers.ts';
import { engineWaits, type WaitSight, type Waits } from './engine-waits.ts';

export interface WaitWatchOptions {
  readonly database: Database;
  readonly broker: Broker;
  /** Engines that have a budget. */
  readonly budgeted: readonly string[];
  readonly log: Logger;
}

/** The engines whose work waits for a tenant. Never rejects, and takes a moment at most: what cannot be told does not wait. */
export type ReadWaits = (tenant: string) => Promise<Waits>;

const FRESH_MS = 2_000;
const STALE_MS = 15_000;
/** A reader waits so long for a look at a broker that may be away. */
const PATIENCE_MS = 250;

interface Look {
  readonly startedAt: number;
  readonly ended: Promise<void>;
}

/** Looks at most every 2 s, and only while somebody asks. */
export function watchWaits(options: WaitWatchOptions): ReadWaits {
  let kept: { readonly sight: Omit<WaitSight, 'now'>; readonly at: number } | undefined;
  let look: Look | undefined;
  let lookedAt = Number.NEGATIVE_INFINITY;
  const refresh = () =>
    readSight(options)
      .then((sight) => {
        kept = { sight, at: performance.now() };
      })
      .catch((err: unknown) => options.log.debug({ err }, 'whether engines wait cannot be told now'))
      .finally(() => {
        lookedAt = performance.now();
        look = undefined;
      });
  return async (tenant) => {
    const now = performance.now();
    if (now - lookedAt > FRESH_MS) {
      look ??= { startedAt: now, ended: refresh() };
      const patience = look.startedAt + PATIENCE_MS - now;
      if (patience > 0) await Promise.race([look.ended, pause(patience)]);
    }
    if (!kept || performance.now() - kept.at > STALE_MS) return new Map();
    return engineWaits({ ...kept.sight, now: Date.now() }, tenant);
  };
}

async function readSight({ database, broker, budgeted }: WaitWatchOptions): Promise<Omit<WaitSight, 'now'>> {
  const [workers, { quotas }, spends] = await Promise.all([
    readWorkerStates(broker),
    database.read(readLeverRows),
    Promise.all(budgeted.map(async (engine) => ({ engine, ...(await readSpend(broker, engine)) }))),
  ]);
  return {
    workers,
    paused: new Map([...quotas].map(([engine, { pausedUntil }]) => [engine, pausedUntil ?? 0])),
    spends: new Map(spends.flatMap(({ engine, spend }) => (spend ? [[engine, spend]] : []))),
  };
}
