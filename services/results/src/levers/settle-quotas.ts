import type { JobLane, WorkerState } from '@earshot/contracts';
import type { Transaction } from '../store/database.ts';
import { dropQuota, keepQuota, type LeverRows, readLeverRows } from '../store/sql/levers.ts';
import { decideQuota, type Quota } from './decide-quota.ts';
import { planLanes } from './plan-lanes.ts';
import { refusedUntil } from './refused-until.ts';

/** How the cap of an engine was moved; `to` undefined: it is back at what was asked for. */
export interface QuotaChange {
  readonly engine: string;
  readonly from: Quota | undefined;
  readonly to: Quota | undefined;
}

/** Decides for every engine, and keeps the decisions; returns the levers after them, and what changed. */
export async function settleQuotas(
  tx: Transaction,
  lanes: readonly JobLane[],
  states: readonly WorkerState[],
  now: number,
): Promise<{ rows: LeverRows; changes: QuotaChange[] }> {
  const rows = await readLeverRows(tx);
  const quotas = new Map(rows.quotas);
  const changes: QuotaChange[] = [];
  for (const [engine, asked] of askedByEngine(lanes, rows, now)) {
    const from = rows.quotas.get(engine);
    const to = decideQuota(from, { asked, refusedUntil: refusedUntil(states, engine, now), now });
    if (to === from) continue;
    changes.push({ engine, from, to });
    if (to) {
      quotas.set(engine, to);
      await keepQuota(tx, engine, to);
    } else {
      quotas.delete(engine);
      await dropQuota(tx, engine);
    }
  }
  return { rows: { ...rows, quotas }, changes };
}

function askedByEngine(lanes: readonly JobLane[], rows: LeverRows, now: number): Map<string, number> {
  const asked = new Map<string, number>();
  for (const lane of planLanes(lanes, rows, now)) {
    if (lane.engine !== null) asked.set(lane.engine, (asked.get(lane.engine) ?? 0) + lane.asked);
  }
  return asked;
}
