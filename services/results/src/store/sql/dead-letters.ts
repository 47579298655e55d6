import type { Evidence, Stage } from '@earshot/contracts';
import type { Transaction } from '../database.ts';
import { storableJson, storableText } from '../storable.ts';
import { type Piece, STANDS } from './replays.ts';

/** Work given up on, or a message that could not be read. */
export interface DeadLetter {
  readonly tenant_id: string | null;
  readonly transcript_id: string | null;
  readonly stage: Stage | 'message';
  readonly plan: number;
  readonly n: number;
  /** Null: the transcript's present one. */
  readonly generation: number | null;
  readonly attempt: number | null;
  readonly code: string;
  readonly evidence: Evidence;
  readonly start_ms: number | null;
  readonly end_ms: number | null;
  /** What a replay publishes again. */
  readonly job: unknown;
  /** The message as it came, when it could not be read. */
  readonly payload: Uint8Array | null;
  readonly subject: string;
  readonly seq: number;
}

const json = (value: unknown) => (value === undefined || value === null ? null : storableJson(value));

/** Keeps dead letters, the first of a piece of work and generation stays; returns the transcripts that got one. */
export async function insertDeadLetters(tx: Transaction, letters: readonly DeadLetter[]): Promise<string[]> {
  const { rows } = await tx.query<{ transcript_id: string | null }>(
    `INSERT INTO dead_letters
       (tenant_id, transcript_id, stage, plan, n, generation, attempt, code, evidence, start_ms, end_ms, job, payload,
        subject, seq)
     SELECT d.tenant_id, d.transcript_id, d.stage, d.plan, d.n, coalesce(d.generation, t.generation, 0), d.attempt,
       d.code, d.evidence, d.start_ms, d.end_ms, d.job, d.payload, d.subject, d.seq
     FROM unnest(
       $1::text[], $2::uuid[], $3::text[], $4::int[], $5::int[], $6::int[], $7::int[], $8::text[], $9::jsonb[],
       $10::bigint[], $11::bigint[], $12::json[], $13::bytea[], $14::text[], $15::bigint[]
     ) WITH ORDINALITY AS d (tenant_id, transcript_id, stage, plan, n, generation, attempt, code, evidence, start_ms,
       end_ms, job, payload, subject, seq, nth)
     LEFT JOIN transcripts t ON t.id = d.transcript_id
     ORDER BY d.nth
     ON CONFLICT DO NOTHING
     RETURNING transcript_id`,
    [
      letters.map((letter) => letter.tenant_id),
      letters.map((letter) => letter.transcript_id),
      letters.map((letter) => letter.stage),
      letters.map((letter) => letter.plan),
      letters.map((letter) => letter.n),
      letters.map((letter) => letter.generation),
      letters.map((letter) => letter.attempt),
      letters.map((letter) => storableText(letter.code)),
      letters.map((letter) => json(letter.evidence)),
      letters.map((letter) => letter.start_ms),
      letters.map((letter) => letter.end_ms),
      letters.map((letter) => json(letter.job)),
      letters.map((letter) => letter.payload && Buffer.from(letter.payload)),
      letters.map((letter) => storableText(letter.subject)),
      letters.map((letter) => letter.seq),
    ],
  );
  return rows.flatMap((row) => row.transcript_id ?? []);
}

/** A recording that could not be accepted or cut at all. */
export interface StageFailure {
  readonly transcript_id: string;
  readonly code: string;
  readonly detail: string;
}

/** Give-ups of accept and split that stand, of transcripts without any split. */
export async function stageFailures(tx: Transaction, ids: readonly string[]): Promise<StageFailure[]> {
  const { rows } = await tx.query<StageFailure>(
    `SELECT DISTINCT ON (t.id) t.id AS transcript_id, d.code, coalesce(d.evidence ->> 'detail', d.code) AS detail
     FROM transcripts t
     JOIN dead_letters d ON d.transcript_id = t.id AND d.stage IN ('accept', 'split') AND ${STANDS}
     WHERE t.id = ANY($1::uuid[]) AND NOT EXISTS (SELECT FROM splits s WHERE s.transcript_id = t.id)
     ORDER BY t.id, d.plan DESC, d.id`,
    [ids],
  );
  return rows;
}

/**
 * Marks the dead letters that pieces sent round again answer, waiting for them in id order; returns the ids of those that
 * nobody had dealt with.
 */
export async function markReplayed(tx: Transaction, pieces: readonly Piece[]): Promise<number[]> {
  const { rows } = await tx.query<{ id: number }>(
    `UPDATE dead_letters SET replayed_at = now()
     WHERE id IN (
       SELECT d.id FROM dead_letters d
       JOIN unnest($1::uuid[], $2::text[], $3::int[], $4::int[]) AS p (transcript_id, stage, plan, n)
         ON d.transcript_id = p.transcript_id
       WHERE d.replayed_at IS NULL AND d.discarded_at IS NULL
         AND CASE p.stage WHEN 'chunk' THEN d.stage = 'chunk' AND d.plan = p.plan AND d.n = p.n
           ELSE d.stage IN ('accept', 'split') END
       ORDER BY d.id FOR UPDATE OF d
     )
     RETURNING id`,
    [
      pieces.map((piece) => piece.transcript_id),
      pieces.map((piece) => piece.stage),
      pieces.map((piece) => piece.plan),
      pieces.map((piece) => piece.n),
    ],
  );
  return rows.map(({ id }) => id);
}

/** Marks dead letters as dealt with, by id and waiting for them in that order; returns how many nobody had dealt with before. */
export async function markDealtWith(
  tx: Transaction,
  how: 'replayed' | 'discarded',
  ids: readonly number[],
): Promise<number> {
  const { rowCount } = await tx.query(
    `UPDATE dead_letters SET ${how}_at = now()
     WHERE id IN (
       SELECT id FROM dead_letters
       WHERE id = ANY($1::bigint[]) AND replayed_at IS NULL AND discarded_at IS NULL
       ORDER BY id FOR UPDATE
     )`,
    [ids],
  );
  return rowCount ?? 0;
}
