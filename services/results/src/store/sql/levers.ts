import type { Quota } from '../../levers/decide-quota.ts';
import type { Transaction } from '../database.ts';

/** What operators asked of a lane; null: as the settings say. */
export interface AskedLane {
  readonly durable: string;
  readonly max_ack_pending: number | null;
  readonly paused: boolean;
}

/** What operators asked for and what quota errors left of it, by durable and by engine. */
export interface LeverRows {
  readonly asked: ReadonlyMap<string, AskedLane>;
  readonly quotas: ReadonlyMap<string, Quota>;
}

interface QuotaRow {
  readonly engine: string;
  readonly effective: number;
  readonly seen_until: Date;
  readonly lowered_at: Date;
  readonly changed_at: Date;
  readonly paused_until: Date | null;
}

const toQuota = (row: QuotaRow): Quota => ({
  effective: row.effective,
  seenUntil: row.seen_until.getTime(),
  loweredAt: row.lowered_at.getTime(),
  changedAt: row.changed_at.getTime(),
  pausedUntil: row.paused_until?.getTime() ?? null,
});

/** Reads all levers; there are a few per engine. */
export async function readLeverRows(tx: Transaction): Promise<LeverRows> {
  const asked = await tx.query<AskedLane>('SELECT durable, max_ack_pending, paused FROM lane_levers');
  const quotas = await tx.query<QuotaRow>(
    'SELECT engine, effective, seen_until, lowered_at, changed_at, paused_until FROM engine_quotas',
  );
  return {
    asked: new Map(asked.rows.map((row) => [row.durable, row])),
    quotas: new Map(quotas.rows.map((row) => [row.engine, toQuota(row)])),
  };
}

/** Keeps what was asked of a lane; what is left out stays as it was. */
export async function askLane(
  tx: Transaction,
  durable: string,
  change: { readonly max_ack_pending?: number; readonly paused?: boolean },
): Promise<void> {
  await tx.query(
    `INSERT INTO lane_levers (durable, max_ack_pending, paused) VALUES ($1, $2::int, coalesce($3::bool, false))
     ON CONFLICT (durable) DO UPDATE
     SET max_ack_pending = coalesce($2::int, lane_levers.max_ack_pending),
       paused = coalesce($3::bool, lane_levers.paused), updated_at = now()`,
    [durable, change.max_ack_pending ?? null, change.paused ?? null],
  );
}

/** Keeps what is left of an engine's cap. */
export async function keepQuota(tx: Transaction, engine: string, quota: Quota): Promise<void> {
  await tx.query(
    `INSERT INTO engine_quotas (engine, effective, seen_until, lowered_at, changed_at, paused_until)
     VALUES ($1, $2, $3, $4, $5, $6)
     ON CONFLICT (engine) DO UPDATE
     SET effective = EXCLUDED.effective, seen_until = EXCLUDED.seen_until, lowered_at = EXCLUDED.lowered_at,
       changed_at = EXCLUDED.changed_at, paused_until = EXCLUDED.paused_until`,
    [
      engine,
      quota.effective,
      new Date(quota.seenUntil),
      new Date(quota.loweredAt),
      new Date(quota.changedAt),
      quota.pausedUntil === null ? null : new Date(quota.pausedUntil),
    ],
  );
}

/** Forgets that an engine's cap was lowered. */
export async function dropQuota(tx: Transaction, engine: string): Promise<void> {
  await tx.query('DELETE FROM engine_quotas WHERE engine = $1', [engine]);
}
