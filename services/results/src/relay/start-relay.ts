import type { Logger } from '@earshot/service-kit';
import type { Database, Transaction } from '../store/database.ts';
import { withLease } from '../store/with-lease.ts';

/** How rows of a table go out; times are milliseconds. */
export interface RelayOptions<Row> {
  /** Names the lease of its sweep, and its lines in the log. */
  readonly name: string;
  readonly database: Database;
  readonly log: Logger;
  /** Rows that are not finished, in pages. */
  readonly open: (tx: Transaction, query: { ageMs: number; after: number; limit: number }) => Promise<Row[]>;
  /** Sends rows and notes it; returns how many it finished. What it rejects with is left for the sweep. */
  readonly relay: (rows: readonly Row[], isSweep: boolean) => Promise<number>;
  /** How often rows are looked for that their own process did not relay; default 30 s. */
  readonly sweepEveryMs?: number | undefined;
  /** How old such rows must be; default 30 s. */
  readonly leftOverAfterMs?: number | undefined;
}

/** Brings rows that a transaction left behind to where they belong, at least once. */
export interface Relay<Row> {
  /** Relays rows that this process just committed. Never rejects: what fails is left for the sweep. */
  take(rows: readonly Row[]): void;
  /** Relays what was left over, one replica at a time; returns how many rows it finished. */
  sweep(): Promise<number>;
  /** Takes nothing more and waits for what runs, at most `graceMs`. Idempotent. */
  close(graceMs: number): Promise<void>;
}

const PAGE = 100;

/** The lease under which rows are swept; who holds it keeps them where they are. */
export const sweepLease = (name: string) => ({ name: `${name}-sweep`, ttlMs: 60_000 });

/** More batches than this wait for the sweep: a broker that does not answer must not fill the memory. */
const MAX_RUNNING = 20;

/** Starts a relay and its sweep. */
export function startRelay<Row extends { readonly id: number }>(options: RelayOptions<Row>): Relay<Row> {
  const { name, database, log, relay } = options;
  const lease = { ...sweepLease(name), holder: crypto.randomUUID() };
  const running = new Set<Promise<unknown>>();
  let closed = false;

  async function relayPages(renew: () => Promise<boolean>): Promise<number> {
    const ageMs = options.leftOverAfterMs ?? 30_000;
    let finished = 0;
    let after = 0;
    do {
      const query = { ageMs, after, limit: PAGE };
      const rows = await database.write((tx) => options.open(tx, query));
      if (rows.length > 0) finished += await relay(rows, true);
      after = rows.at(-1)?.id ?? 0;
      if (rows.length < PAGE) return finished;
    } while (!closed && (await renew()));
    return finished;
  }

  function track(work: Promise<unknown>): void {
    running.add(work);
    void work.finally(() => running.delete(work)).catch(() => undefined);
  }

  const sweep = async () => (await withLease(database, lease, ({ renew }) => relayPages(renew))) ?? 0;
  let sweeping = false;
  const tick = async () => {
    if (sweeping) return;
    sweeping = true;
    await sweep().catch((err: unknown) => log.warn({ err }, `the ${name} could not be swept`));
    sweeping = false;
  };
  const timer = setInterval(() => track(tick()), options.sweepEveryMs ?? 30_000);

  return {
    take: (rows) => {
      if (closed || rows.length === 0 || running.size >= MAX_RUNNING) return;
      track(
        relay(rows, false).catch((err: unknown) => log.warn({ err }, `the ${name} is left for its sweep`)),
      );
    },
    sweep,
    close: async (graceMs) => {
      closed = true;
      clearInterval(timer);
      let limit: NodeJS.Timeout | undefined;
      const late = new Promise((resolve) => {
        limit = setTimeout(resolve, graceMs);
      });
      await Promise.race([Promise.allSettled(running), late]);
      clearTimeout(limit);
    },
  };
}

/** The rows for which `step` worked; `failed` is told of the others, which are left for a later sweep. */
export async function succeeding<Row>(
  rows: readonly Row[],
  step: (row: Row) => Promise<void>,
  failed: (row: Row, reason: unknown) => void,
): Promise<Row[]> {
  const results = await Promise.allSettled(rows.map(step));
  return rows.filter((row, index) => {
    const result = results[index];
    if (result?.status === 'rejected') failed(row, result.reason);
    return result?.status === 'fulfilled';
  });
}
