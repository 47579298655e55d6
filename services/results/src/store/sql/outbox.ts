import type { Final } from '@earshot/contracts';
import type { Transaction } from '../database.ts';

/** A final fact on its way to the broker. */
export interface OutboxRow {
  readonly id: number;
  readonly payload: Final;
  readonly traceparent: string | null;
  /** False once the broker stored it, while something is left to do. */
  readonly unpublished: boolean;
}

const COLUMNS = 'id, payload, traceparent, published_at IS NULL AS unpublished';

/** Adds final facts in the transaction that makes them true; one for each transcript, revision and type. */
export async function insertOutbox(
  tx: Transaction,
  facts: readonly { payload: Final; traceparent: string | undefined }[],
): Promise<OutboxRow[]> {
  const { rows } = await tx.query<OutboxRow>(
    `INSERT INTO outbox (transcript_id, revision, type, payload, traceparent)
     SELECT * FROM unnest($1::uuid[], $2::int[], $3::text[], $4::jsonb[], $5::text[])
     ON CONFLICT (transcript_id, revision, type) DO NOTHING
     RETURNING ${COLUMNS}`,
    [
      facts.map(({ payload }) => payload.transcript_id),
      facts.map(({ payload }) => payload.revision),
      facts.map(({ payload }) => payload.status),
      facts.map(({ payload }) => JSON.stringify(payload)),
      facts.map(({ traceparent }) => traceparent ?? null),
    ],
  );
  return rows;
}

/** The oldest rows that are at least `ageMs` old and not finished, after the row `after`. */
export async function openOutbox(
  tx: Transaction,
  query: { ageMs: number; after: number; limit: number },
): Promise<OutboxRow[]> {
  const { rows } = await tx.query<OutboxRow>(
    `SELECT ${COLUMNS} FROM outbox
     WHERE finished_at IS NULL AND id > $2 AND created_at <= now() - $1 * interval '1 millisecond'
     ORDER BY id LIMIT $3`,
    [query.ageMs, query.after, query.limit],
  );
  return rows;
}

/** Notes that the broker stored these facts. */
export async function markPublished(tx: Transaction, ids: readonly number[]): Promise<void> {
  await tx.query(
    'UPDATE outbox SET published_at = now() WHERE id = ANY($1::bigint[]) AND published_at IS NULL',
    [ids],
  );
}

/** Notes that nothing is left to do for these facts. */
export async function markFinished(tx: Transaction, ids: readonly number[]): Promise<void> {
  await tx.query('UPDATE outbox SET finished_at = now() WHERE id = ANY($1::bigint[])', [ids]);
}
