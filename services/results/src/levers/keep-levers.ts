import { setTimeout as pause } from 'node:timers/promises';
import type { JobLane } from '@earshot/contracts';
import { type Broker, readLevers, readWorkerStates } from '@earshot/messaging';
import type { Logger } from '@earshot/service-kit';
import type { Database } from '../store/database.ts';
import { type Lease, withLease } from '../store/with-lease.ts';
import { moveLevers } from './move-levers.ts';
import { planLanes } from './plan-lanes.ts';
import { type QuotaChange, settleQuotas } from './settle-quotas.ts';

export interface LeverKeeperOptions {
  readonly database: Database;
  readonly broker: Broker;
  readonly lanes: readonly JobLane[];
  readonly log: Logger;
}

const EVERY_MS = 2_000;
const LEASE = { name: 'levers', ttlMs: 10_000 };

/**
 * One look: lowers and raises caps as the workers report quota errors, then makes every consumer what it is to be: also
 * one that was made again with its first cap. What it knows is in the database, so any replica goes on from there.
 */
export async function keepLeversOnce(options: LeverKeeperOptions, now = Date.now()): Promise<void> {
  const { database, broker, lanes, log } = options;
  const states = await readWorkerStates(broker);
  const { rows, changes } = await database.write((tx) => settleQuotas(tx, lanes, states, now));
  for (const change of changes) tell(change, log);
  const found = new Map((await readLevers(broker)).map((consumer) => [consumer.durable, consumer]));
  await moveLevers(broker, planLanes(lanes, rows, now), found);
}

/** Keeps the levers from one replica at a time until it is stopped; waits for a broker or database that is away. */
export function keepLevers(options: LeverKeeperOptions): { stop(): Promise<void> } {
  const stop = new AbortController();
  const lease = { ...LEASE, holder: crypto.randomUUID() };
  const moment = () => pause(EVERY_MS, undefined, { signal: stop.signal }).catch(() => undefined);
  const hold = async ({ renew }: Lease) => {
    do {
      await keepLeversOnce(options);
      await moment();
    } while (!stop.signal.aborted && (await renew()));
  };
  const run = async () => {
    let trouble: string | undefined;
    const note = (detail: string | undefined) => {
      if (detail !== undefined && detail !== trouble)
        options.log.warn({ detail }, 'the levers are not kept now');
      trouble = detail;
    };
    while (!stop.signal.aborted) {
      await withLease(options.database, lease, hold).then(
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

function tell({ engine, from, to }: QuotaChange, log: Logger): void {
  const until = to?.pausedUntil ? { paused_until: new Date(to.pausedUntil) } : {};
  const fields = { engine, cap: to?.effective, ...until };
  if (to === undefined) log.info({ engine }, 'the cap is back at what was asked for');
  else if (to.loweredAt !== from?.loweredAt) log.warn(fields, 'the cap was lowered after quota errors');
  else if (to.effective !== from.effective) log.info(fields, 'the cap was raised a step');
}
