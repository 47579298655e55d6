import { isDeepStrictEqual } from 'node:util';
import type { Spend } from '@earshot/contracts';
import { type Broker, readSpend, watchSpend, writeSpend } from '@earshot/messaging';
import type { Logger } from '@earshot/service-kit';
import type { Database } from '../store/database.ts';
import { keepUnderLease } from '../store/keep-under-lease.ts';
import { billedSince, endedReservations } from '../store/sql/spend.ts';
import { dayOf, planSpend } from './plan-spend.ts';

export interface SpendKeeperOptions {
  readonly database: Database;
  readonly broker: Broker;
  /** Those that have a budget. */
  readonly engines: readonly string[];
  readonly log: Logger;
}

const EVERY_MS = 2_000;
const LEASE = { name: 'spend', ttlMs: 10_000 };

/** Keeps the entries of the bucket `spend` what the table `usage` says. */
export class SpendKeeper {
  readonly #options: SpendKeeperOptions;
  /** What was kept or heard last: after a loss of the bucket it still tells of the calls that are under way. */
  readonly #last = new Map<string, Spend>();

  constructor(options: SpendKeeperOptions) {
    this.#options = options;
  }

  /** An entry that a worker has just written. */
  heard(engine: string, spend: Spend): void {
    this.#last.set(engine, spend);
  }

  /** One look at every engine; an entry that a worker changes at that moment is left for the next one. */
  async keep(now = Date.now()): Promise<void> {
    for (const engine of this.#options.engines) await this.#keep(engine, now);
  }

  async #keep(engine: string, now: number): Promise<void> {
    const { broker, database, log } = this.#options;
    const { spend, revision } = await readSpend(broker, engine);
    const before = spend ?? this.#last.get(engine);
    const names = Object.keys(before?.reserved ?? {});
    const { billed, ended } = await database.read(async (tx) => ({
      billed: await billedSince(tx, engine, new Date(dayOf(now).start)),
      ended: names.length > 0 ? await endedReservations(tx, names) : new Set<string>(),
    }));
    const next = planSpend(before, { now, billed, ended });
    if (!isDeepStrictEqual(next, spend)) {
      if ((await writeSpend(broker, engine, next, revision)) === undefined) return;
      if (!spend) log.info({ engine, resets_at: next.resets_at }, 'the spend of the day was made from usage');
    }
    this.#last.set(engine, next);
  }
}

/** Keeps them from one replica at a time until it is stopped. */
export function keepSpend(options: SpendKeeperOptions): { stop(): Promise<void> } {
  const keeper = new SpendKeeper(options);
  const watch = watchSpend(options.broker, (engine, spend) => keeper.heard(engine, spend));
  const kept = keepUnderLease({
    ...options,
    lease: LEASE,
    everyMs: EVERY_MS,
    once: () => keeper.keep(),
    trouble: 'the bucket spend is not kept now',
  });
  return {
    stop: () => {
      watch.stop();
      return kept.stop();
    },
  };
}
