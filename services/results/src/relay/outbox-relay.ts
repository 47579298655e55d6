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

/** More than this waits for the sweep: a broker that does not answer must not fill the memory. */
const MAX_RUNNING = 2_000;

/** Starts the relay and its sweep. */
export function startOutboxRelay(options: OutboxRelayOptions): OutboxRelay {
  const { database, storage, publisher, log } = options;
  const holder = crypto.randomUUID();
  const running = new Set<Promise<unknown>>();
  let closed = false;

  async function relay(row: OutboxRow): Promise<boolean> {
    const { tenant_id, transcript_id, status } = row.payload;
    try {
      if (row.unpublished) {
        await publisher.publish(finalMessage(row));
        if (status === 'completed') await database.write((tx) => markPublished(tx, [row.id]));
      }
      if (status === 'completed') await removeChunks(storage, tenant_id, transcript_id);
      await database.write(async (tx) => {
        await markPublished(tx, [row.id]);
        await markFinished(tx, [row.id]);
      });
      return true;
    } catch (err) {
      log.warn({ err, transcript_id }, 'a final fact is left for the next sweep of the outbox');
      return false;
    }
  }

  async function relayPages(renew: () => Promise<boolean>): Promise<number> {
    const ageMs = options.leftOverAfterMs ?? 30_000;
    let finished = 0;
    let after = 0;
    do {
      const query = { ageMs, after, limit: PAGE };
      const rows = await database.write((tx) => openOutbox(tx, query));
      const results = await Promise.all(rows.map(relay));
      finished += results.filter(Boolean).length;
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
      if (closed || running.size > MAX_RUNNING) return;
      for (const row of rows) track(relay(row));
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
