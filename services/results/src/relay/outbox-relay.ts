import type { Publisher } from '@earshot/jobs';
import type { Logger } from '@earshot/service-kit';
import type { ObjectStorage } from '@earshot/storage';
import type { Database } from '../store/database.ts';
import { markFinished, markPublished, type OutboxRow, openOutbox } from '../store/sql/outbox.ts';
import { withLease } from '../store/with-lease.ts';
import { finalMessage } from './final-message.ts';
import { removeChunks } from './remove-chunks.ts';

export interface OutboxRelayOptions {
  readonly database: Database;
  readonly storage: ObjectStorage;
  readonly publisher: Publisher;
  readonly log: Logger;
  /** How often rows are looked for that their own process did not relay; default 30 s. */
  readonly sweepEveryMs?: number;
  /** How old such rows must be; default 30 s. */
  readonly leftOverAfterMs?: number;
}

/** Brings final facts from the outbox to the broker, at least once. */
export interface OutboxRelay {
  /** Relays rows that this process just committed. Never rejects: what fails is left for the sweep. */
  take(rows: readonly OutboxRow[]): void;
  /** Relays what was left over, one replica at a time; returns how many rows it finished. */
  sweep(): Promise<number>;
  /** Takes nothing more and waits for what runs, at most `graceMs`. Idempotent. */
  close(graceMs: number): Promise<void>;
}

const PAGE = 100;
const LEASE = { name: 'outbox-sweep', ttlMs: 60_000 };

/** More batches than this wait for the sweep: a broker that does not answer must not fill the memory. */
const MAX_RUNNING = 20;

/** Workers of a canceled transcript stop at their next beat; what they store until then is removed by the sweep. */
const isTidiedTwice = ({ payload }: OutboxRow) => payload.status === 'canceled';

const idsOf = (rows: readonly OutboxRow[]) => rows.map((row) => row.id);

/** Starts the relay and its sweep. */
export function startOutboxRelay(options: OutboxRelayOptions): OutboxRelay {
  const { database, storage, publisher, log } = options;
  const holder = crypto.randomUUID();
  const running = new Set<Promise<unknown>>();
  let closed = false;

  /** The rows for which `step` worked; the others are left for a later sweep. */
  async function succeeding(rows: readonly OutboxRow[], step: (row: OutboxRow) => Promise<void>) {
    const results = await Promise.allSettled(rows.map(step));
    return rows.filter((row, index) => {
      const result = results[index];
      if (result?.status === 'fulfilled') return true;
      const { transcript_id } = row.payload;
      log.warn(
        { err: result?.reason, transcript_id },
        'a final fact is left for the next sweep of the outbox',
      );
      return false;
    });
  }

  async function publish(row: OutboxRow): Promise<void> {
    if (row.unpublished) await publisher.publish(finalMessage(row));
  }

  async function tidy({ payload }: OutboxRow): Promise<void> {
    if (payload.status !== 'completed' && payload.status !== 'canceled') return;
    await removeChunks(storage, payload.tenant_id, payload.transcript_id);
  }

  /** Marks after each step, so that trouble with the second does not repeat the first. */
  async function relay(rows: readonly OutboxRow[], isSweep: boolean): Promise<number> {
    const published = await succeeding(rows, publish);
    if (published.length === 0) return 0;
    await database.write((tx) => markPublished(tx, idsOf(published)));
    const tidied = await succeeding(published, tidy);
    const finished = tidied.filter((row) => isSweep || !isTidiedTwice(row));
    if (finished.length > 0) await database.write((tx) => markFinished(tx, idsOf(finished)));
    return finished.length;
  }

  async function relayPages(renew: () => Promise<boolean>): Promise<number> {
    const ageMs = options.leftOverAfterMs ?? 30_000;
    let finished = 0;
    let after = 0;
    do {
      const query = { ageMs, after, limit: PAGE };
      const rows = await database.write((tx) => openOutbox(tx, query));
      finished += await relay(rows, true);
      after = rows.at(-1)?.id ?? 0;
      if (rows.length < PAGE) return finished;
    } while (!closed && (await renew()));
    return finished;
  }

  function track(work: Promise<unknown>): void {
    running.add(work);
    void work.finally(() => running.delete(work)).catch(() => undefined);
  }

  const sweep = async () =>
    (await withLease(database, { ...LEASE, holder }, ({ renew }) => relayPages(renew))) ?? 0;
  const timer = setInterval(() => {
    track(sweep().catch((err: unknown) => log.warn({ err }, 'the outbox could not be swept')));
  }, options.sweepEveryMs ?? 30_000);

  return {
    take: (rows) => {
      if (closed || rows.length === 0 || running.size >= MAX_RUNNING) return;
      track(
        relay(rows, false).catch((err: unknown) =>
          log.warn({ err }, 'final facts are left for the next sweep'),
        ),
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
