import type { JobLane } from '@earshot/contracts';
import { PAUSED_FOR_EVER } from '@earshot/messaging';
import type { LeverRows } from '../store/sql/levers.ts';
import type { Quota } from './decide-quota.ts';

/** A lane with what was asked of it and what it is to be now. */
export interface PlannedLane extends JobLane {
  readonly asked: number;
  /** The cap to be set: what quota errors left of `asked`. */
  readonly cap: number;
  /** Undefined: not paused. */
  readonly pausedUntil: Date | undefined;
}

/**
 * What every lane is to be: what an operator asked for, else what the settings say; lowered and paused where an engine
 * refuses. Pure.
 */
export function planLanes(lanes: readonly JobLane[], rows: LeverRows, now: number): PlannedLane[] {
  const engines = [...new Set(lanes.map(({ engine }) => engine))];
  return engines.flatMap((engine) => {
    const quota = engine === null ? undefined : rows.quotas.get(engine);
    const group = lanes.filter((lane) => lane.engine === engine);
    const asked = group.map((lane) => askedOf(lane, rows));
    const caps = shareLeft(asked, quota?.effective);
    return group.map((lane, index) => ({
      ...lane,
      asked: asked[index] ?? 1,
      cap: caps[index] ?? 1,
      pausedUntil: rows.asked.get(lane.durable)?.paused ? PAUSED_FOR_EVER : pauseOf(quota, now),
    }));
  });
}

const askedOf = (lane: JobLane, rows: LeverRows) =>
  rows.asked.get(lane.durable)?.max_ack_pending ?? lane.max_ack_pending;

const pauseOf = (quota: Quota | undefined, now: number) =>
  quota?.pausedUntil && quota.pausedUntil > now ? new Date(quota.pausedUntil) : undefined;

/**
 * Shares what is left of a cap (at least one for each lane) in the proportion of what was asked for. Every lane keeps at
 * least one; where that makes too many, the largest gives.
 */
export function shareLeft(asked: readonly number[], left: number | undefined): number[] {
  const total = sum(asked);
  if (left === undefined || left >= total) return [...asked];
  const caps = asked.map((cap) => Math.max(1, Math.floor((cap * left) / total)));
  const largest = caps.indexOf(Math.max(...caps));
  const surplus = Math.max(0, sum(caps) - left);
  return caps.map((cap, index) => (index === largest ? cap - surplus : cap));
}

const sum = (numbers: readonly number[]) => numbers.reduce((total, number) => total + number, 0);
