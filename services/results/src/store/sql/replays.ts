import type { ChunkJob, SplitJob } from '@earshot/contracts';
import type { Transaction } from '../database.ts';

/** A piece of work of a transcript: the cutting of its recording (n is 0), or one of its chunks. */
export interface Piece {
  readonly transcript_id: string;
  readonly stage: 'split' | 'chunk';
  readonly plan: number;
  readonly n: number;
}

/** A piece on its way round again. */
export interface Replay extends Piece {
  readonly id: number;
  readonly generation: number;
  readonly job: SplitJob | ChunkJob;
  readonly traceparent: string | null;
  /** Sequence of an unreadable fact in the way of the result, or null. */
  readonly obstacle_seq: number | null;
}

/**
 * Restricts dead letters `d` to those that stand: their piece was not sent round again since. What stopped a recording
 * from being cut, at whatever step, is answered by cutting it again.
 */
export const STANDS = `NOT EXISTS (
  SELECT FROM replays r
  WHERE r.transcript_id = d.transcript_id AND r.generation > d.generation
    AND CASE d.stage WHEN 'chunk' THEN r.stage = 'chunk' AND r.plan = d.plan AND r.n = d.n ELSE r.stage = 'split' END
)`;

const COLUMNS = 'id, transcript_id, stage, plan, n, generation, job, traceparent, obstacle_seq';

/**
 * Notes jobs to be sent, in the transaction that makes them wanted; a newer one of a piece takes the older one's place. They
 * go into the trace of their recording, or that of `traceparent` where it has none.
 */
export async function insertReplays(
  tx: Transaction,
  jobs: readonly (Piece & Pick<Replay, 'job'>)[],
  traceparent: string | undefined,
): Promise<Replay[]> {
  const { rows } = await tx.query<Replay>(
    `INSERT INTO replays (transcript_id, stage, plan, n, generation, job, traceparent, obstacle_seq)
     SELECT p.transcript_id, p.stage, p.plan, p.n, p.generation, p.job,
       coalesce((SELECT t.traceparent FROM transcripts t WHERE t.id = p.transcript_id), $7), (
       SELECT max(d.seq) FROM dead_letters d
       WHERE d.transcript_id = p.transcript_id AND d.stage = p.stage AND d.plan = p.plan AND d.n = p.n
         AND d.payload IS NOT NULL
     )
     FROM unnest($1::uuid[], $2::text[], $3::int[], $4::int[], $5::int[], $6::jsonb[])
       AS p (transcript_id, stage, plan, n, generation, job)
     ON CONFLICT (transcript_id, stage, plan, n) DO UPDATE
     SET generation = EXCLUDED.generation, job = EXCLUDED.job, traceparent = EXCLUDED.traceparent,
         obstacle_seq = EXCLUDED.obstacle_seq, created_at = now(), finished_at = NULL
     RETURNING ${COLUMNS}`,
    [
      jobs.map((piece) => piece.transcript_id),
      jobs.map((piece) => piece.stage),
      jobs.map((piece) => piece.plan),
      jobs.map((piece) => piece.n),
      jobs.map((piece) => piece.job.generation),
      jobs.map((piece) => JSON.stringify(piece.job)),
      traceparent ?? null,
    ],
  );
  return rows;
}

/** The oldest replays that are at least `ageMs` old and not sent, after the row `after`. */
export async function openReplays(
  tx: Transaction,
  query: { ageMs: number; after: number; limit: number },
): Promise<Replay[]> {
  const { rows } = await tx.query<Replay>(
    `SELECT ${COLUMNS} FROM replays
     WHERE finished_at IS NULL AND id > $2 AND created_at <= now() - $1 * interval '1 millisecond'
     ORDER BY id LIMIT $3`,
    [query.ageMs, query.after, query.limit],
  );
  return rows;
}

/** Notes that the broker has these jobs; a piece that was sent round yet again meanwhile stays open. */
export async function markSent(tx: Transaction, replays: readonly Replay[]): Promise<void> {
  await tx.query(
    `UPDATE replays r SET finished_at = now()
     FROM unnest($1::bigint[], $2::int[]) AS sent (id, generation)
     WHERE r.id = sent.id AND r.generation = sent.generation`,
    [replays.map(({ id }) => id), replays.map(({ generation }) => generation)],
  );
}
