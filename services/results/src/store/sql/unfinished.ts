import type { Transaction } from '../database.ts';
import type { PlacedChunk } from '../job-data.ts';
import { RECORDING, type Recording } from './recordings.ts';
import { STANDS } from './replays.ts';

/** A transcript in work, by name. */
export interface UnfinishedKey {
  readonly id: string;
  readonly tenant_id: string;
}

/** Transcripts in work that nothing moved for `idleMs`, those checked longest ago first. */
export async function idleTranscripts(
  tx: Transaction,
  query: { readonly idleMs: number; readonly limit: number },
): Promise<UnfinishedKey[]> {
  const { rows } = await tx.query<UnfinishedKey>(
    `SELECT id, tenant_id FROM transcripts
     WHERE status IN ('queued', 'processing') AND moved_at < clock_timestamp() - $1 * interval '1 millisecond'
     ORDER BY checked_at LIMIT $2`,
    [query.idleMs, query.limit],
  );
  return rows;
}

/** All transcripts in work, by id, after the one named. */
export async function pageOfUnfinished(
  tx: Transaction,
  query: { readonly after: string; readonly limit: number },
): Promise<UnfinishedKey[]> {
  const { rows } = await tx.query<UnfinishedKey>(
    `SELECT id, tenant_id FROM transcripts WHERE status IN ('queued', 'processing') AND id > $1::uuid
     ORDER BY id LIMIT $2`,
    [query.after, query.limit],
  );
  return rows;
}

/** The work that a recording still needs. */
export interface UnfinishedWork extends Recording {
  /** The plan that is being worked on; null until the recording is cut to its end. */
  readonly plan: number | null;
  /** Chunks of that plan without a result that were not given up on. */
  readonly missing: readonly PlacedChunk[];
}

/** The open work of those that are still unfinished, were accepted, and did not move for `idleMs`. */
export async function unfinishedWork(
  tx: Transaction,
  ids: readonly string[],
  idleMs: number,
): Promise<UnfinishedWork[]> {
  const { rows } = await tx.query<UnfinishedWork>(
    `SELECT ${RECORDING}, s.plan, coalesce(open.missing, '[]') AS missing
     FROM transcripts t
     LEFT JOIN LATERAL (
       SELECT plan, count, cuts FROM splits WHERE transcript_id = t.id ORDER BY plan DESC LIMIT 1
     ) s ON true
     LEFT JOIN LATERAL (
       SELECT jsonb_agg(jsonb_build_object('n', w.n, 'cut', s.cuts -> w.n) ORDER BY w.n) AS missing
       FROM generate_series(0, s.count - 1) AS w (n)
       WHERE NOT EXISTS (SELECT FROM chunks c WHERE (c.transcript_id, c.plan, c.n) = (t.id, s.plan, w.n))
         AND NOT EXISTS (
           SELECT FROM dead_letters d
           WHERE d.transcript_id = t.id AND d.stage = 'chunk' AND d.plan = s.plan AND d.n = w.n
             AND ${STANDS}
         )
     ) open ON true
     WHERE t.id = ANY($1::uuid[]) AND t.status IN ('queued', 'processing') AND t.accepted_at IS NOT NULL
       AND t.moved_at <= clock_timestamp() - $2 * interval '1 millisecond'
     ORDER BY t.id`,
    [ids, idleMs],
  );
  return rows;
}

/** Notes that somebody looked after these just now; waits for their rows in id order, as everybody does. */
export async function markChecked(tx: Transaction, ids: readonly string[]): Promise<void> {
  await tx.query(
    `UPDATE transcripts SET checked_at = clock_timestamp()
     WHERE id IN (SELECT id FROM transcripts WHERE id = ANY($1::uuid[]) ORDER BY id FOR UPDATE)`,
    [ids],
  );
}
