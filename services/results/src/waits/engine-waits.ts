import { ALL_TENANTS, type Spend, type WorkerState } from '@earshot/contracts';

/** What tells which engines may not be called now. */
export interface WaitSight {
  readonly now: number;
  readonly workers: readonly WorkerState[];
  /** Engines whose lanes are paused after quota errors, and until when in Unix milliseconds. */
  readonly paused: ReadonlyMap<string, number>;
  /** The entries of the bucket `spend`, by engine. */
  readonly spends: ReadonlyMap<string, Spend>;
}

/** Engines whose work waits, with when it may go on. */
export type Waits = ReadonlyMap<string, Date>;

/**
 * Which engines do no work for a tenant, because their quota or the tenant's budget is used up, and until when. An engine
 * is out of quota when its lanes are paused for that, or when every worker that has it leaves it alone: one worker that still
 * calls is enough for work to go on. Pure.
 */
export function engineWaits(sight: WaitSight, tenant: string): Waits {
  const waits = new Map<string, number>();
  const wait = (engine: string, until: number | undefined) => {
    if (until !== undefined && until > sight.now) waits.set(engine, Math.max(until, waits.get(engine) ?? 0));
  };
  for (const [engine, until] of sight.paused) wait(engine, until);
  for (const [engine, ends] of endsByEngine(sight)) wait(engine, Math.min(...ends));
  for (const [engine, { refused, resets_at }] of sight.spends) {
    if (refused.includes(tenant) || refused.includes(ALL_TENANTS)) wait(engine, Date.parse(resets_at));
  }
  return new Map([...waits].map(([engine, until]) => [engine, new Date(until)]));
}

/** When each worker may ask each of its engines again; 0 for now. */
function endsByEngine({ workers, now }: WaitSight): Map<string, number[]> {
  const ends = new Map<string, number[]>();
  for (const { draining, engines } of workers) {
    if (draining) continue;
    for (const { name, quota_until } of engines) {
      const end = quota_until === null ? 0 : Date.parse(quota_until);
      ends.set(name, [...(ends.get(name) ?? []), end > now ? end : 0]);
    }
  }
  return ends;
}
