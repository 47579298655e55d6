import type { JobLane } from '@earshot/contracts';
import { type Broker, readLevers, readWorkerStates } from '@earshot/messaging';
import type { Logger } from '@earshot/service-kit';
import type { Database } from '../store/database.ts';
import { keepUnderLease } from '../store/keep-under-lease.ts';
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
export const keepLevers = (options: LeverKeeperOptions): { stop(): Promise<void> } =>
  keepUnderLease({
    ...options,
    lease: LEASE,
    everyMs: EVERY_MS,
    once: () => keepLeversOnce(options),
    trouble: 'the levers are not kept now',
  });

function tell({ engine, from, to }: QuotaChange, log: Logger): void {
  const until = to?.pausedUntil ? { paused_until: new Date(to.pausedUntil) } : {};
  const fields = { engine, cap: to?.effective, ...until };
  if (to === undefined) log.info({ engine }, 'the cap is back at what was asked for');
  else if (to.loweredAt !== from?.loweredAt) log.warn(fields, 'the cap was lowered after quota errors');
  else if (to.effective !== from.effective) log.info(fields, 'the cap was raised a step');
}
