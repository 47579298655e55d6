import { setTimeout as pause } from 'node:timers/promises';
import type { Logger } from '@earshot/service-kit';
import type { Database } from './database.ts';
import { type Lease, withLease } from './with-lease.ts';

/** Work that one replica at a time does again and again. */
export interface KeptWork {
  readonly database: Database;
  readonly lease: { readonly name: string; readonly ttlMs: number };
  readonly everyMs: number;
  /** Does it once; a rejection gives the lease back and is told in the log as long as it lasts. */
  readonly once: () => Promise<void>;
  /** What is told then. */
  readonly trouble: string;
  readonly log: Logger;
}

/** Does the work from one replica at a time until it is stopped; waits for a broker or database that is away. */
export function keepUnderLease(work: KeptWork): { stop(): Promise<void> } {
  const stop = new AbortController();
  const lease = { ...work.lease, holder: crypto.randomUUID() };
  const moment = () => pause(work.everyMs, undefined, { signal: stop.signal }).catch(() => undefined);
  const hold = async ({ renew }: Lease) => {
    do {
      await work.once();
      await moment();
    } while (!stop.signal.aborted && (await renew()));
  };
  const run = async () => {
    let trouble: string | undefined;
    const note = (detail: string | undefined) => {
      if (detail !== undefined && detail !== trouble) work.log.warn({ detail }, work.trouble);
      trouble = detail;
    };
    while (!stop.signal.aborted) {
      await withLease(work.database, lease, hold).then(
        () => note(undefined),
        (error: unknown) => note(String(error)),
      );
      await moment();
    }
  };
  const running = run();
  return {
    stop: () => {
      stop.abort();
      return running;
    },
  };
}
