import type { Chunk } from '@earshot/contracts';
import type { ChunkGap, ChunkResult, PlanSplit, Segment } from '@earshot/domain';
import type { Transaction } from '../database.ts';
import { STANDS } from './replays.ts';

/** Stores chunk results, the first of a plan and n stays; returns the transcripts that got one. */
export async function insertChunks(tx: Transaction, facts: readonly Chunk[]): Promise<string[]> {
  const { rows } = await tx.query<{ transcript_id: string }>(
    `INSERT INTO chunks
       (transcript_id, plan, n, generation, attempt, start_ms, end_ms, engine, model, language, segments, speech_ms,
        transcribed_ms, worker, engine_ms)
     SELECT * FROM unnest(
       $1::uuid[], $2::int[], $3::int[], $4::int[], $5::int[], $6::bigint[], $7::bigint[], $8::text[], $9::text[],
       $10::text[], $11::jsonb[], $12::bigint[], $13::bigint[], $14::text[], $15::bigint[]
     )
     ON CONFLICT DO NOTHING
     RETURNING transcript_id`,
    [
      facts.map((fact) => fact.transcript_id),
      facts.map((fact) => fact.plan),
      facts.map((fact) => fact.n),
      facts.map((fact) => fact.generation),
      facts.map((fact) => fact.attempt),
      facts.map((fact) => fact.start_ms),
      facts.map((fact) => fact.end_ms),
      facts.map((fact) => fact.engine),
      facts.map((fact) => fact.model),
      facts.map((fact) => fact.language),
      facts.map((fact) => JSON.stringify(fact.segments)),
      facts.map((fact) => fact.speech_ms),
      facts.map((fact) => fact.transcribed_ms),
      facts.map((fact) => fact.worker),
      facts.map((fact) => fact.engine_ms),
    ],
  );
  return rows.map((row) => row.transcript_id);
}

/** Which plan of a transcript is meant. */
export interface PlanKey {
  readonly transcript_id: string;
  readonly plan: number;
}

/** What a plan gave so far, but the words; `split` is undefined until the recording is cut to its end. */
export interface PlanResults extends PlanKey {
  readonly split: (PlanSplit & { readonly detail: string | null }) | undefined;
  readonly chunks: readonly ChunkResult[];
  readonly gave_up: readonly ChunkGap[];
}

type Row<T> = T & PlanKey;

const wanted = 'unnest($1::uuid[], $2::int[]) AS w (transcript_id, plan)';

/** A give-up of a stage before cutting has no range; the split knows it. */
const GAPS = `
  SELECT DISTINCT ON (d.transcript_id, d.n) d.transcript_id, d.plan, d.n, d.code,
    coalesce(d.start_ms, (s.cuts -> d.n ->> 'start_ms')::bigint, 0) AS start_ms,
    coalesce(d.end_ms, (s.cuts -> d.n ->> 'end_ms')::bigint, 0) AS end_ms
  FROM ${wanted}
  JOIN dead_letters d USING (transcript_id, plan)
  LEFT JOIN splits s USING (transcript_id, plan)
  WHERE d.stage = 'chunk' AND ${STANDS}
    AND NOT EXISTS (SELECT FROM chunks c WHERE (c.transcript_id, c.plan, c.n) = (d.transcript_id, d.plan, d.n))
  ORDER BY d.transcript_id, d.n, d.id`;

/** Words are most of the bytes of a long recording, so they stay in the database until somebody reads them. */
const CHUNKS = `
  SELECT c.transcript_id, c.plan, c.n, c.start_ms, c.end_ms, c.speech_ms, c.transcribed_ms, c.language,
    coalesce(
      (SELECT jsonb_agg(said - 'words' ORDER BY nth) FROM jsonb_array_elements(c.segments) WITH ORDINALITY AS a (said, nth)),
      '[]'
    ) AS segments
  FROM ${wanted}
  JOIN chunks c USING (transcript_id, plan)
  LEFT JOIN splits s USING (transcript_id, plan)
  WHERE c.n < coalesce(s.count, c.n + 1)
  ORDER BY c.transcript_id, c.n`;

const SPLITS = `
  SELECT s.transcript_id, s.plan, s.count, s.duration_ms, s.truncated, s.code, s.detail
  FROM ${wanted} JOIN splits s USING (transcript_id, plan)`;

function byTranscript<T extends PlanKey>(rows: readonly T[]): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const row of rows) {
    const group = groups.get(row.transcript_id);
    if (group) group.push(row);
    else groups.set(row.transcript_id, [row]);
  }
  return groups;
}

/** Results of at most one plan for each transcript, in the order asked for. */
export async function loadPlans(tx: Transaction, keys: readonly PlanKey[]): Promise<PlanResults[]> {
  const params = [keys.map((key) => key.transcript_id), keys.map((key) => key.plan)];
  const splits = await tx.query<Row<PlanSplit & { detail: string | null }>>(SPLITS, params);
  const chunks = await tx.query<Row<ChunkResult>>(CHUNKS, params);
  const gaps = await tx.query<Row<ChunkGap>>(GAPS, params);
  const chunksOf = byTranscript(chunks.rows);
  const gapsOf = byTranscript(gaps.rows);
  const splitOf = new Map(splits.rows.map((row) => [row.transcript_id, row]));
  return keys.map(({ transcript_id, plan }) => ({
    transcript_id,
    plan,
    split: splitOf.get(transcript_id),
    chunks: chunksOf.get(transcript_id) ?? [],
    gave_up: gapsOf.get(transcript_id) ?? [],
  }));
}

/** The segments of chunks with all their words, a list for each chunk that is there, in order of `n`. */
export async function loadSegments(
  tx: Transaction,
  { transcript_id, plan }: PlanKey,
  numbers: readonly number[],
): Promise<Segment[][]> {
  const { rows } = await tx.query<{ segments: Segment[] }>(
    'SELECT segments FROM chunks WHERE transcript_id = $1 AND plan = $2 AND n = ANY($3::int[]) ORDER BY n',
    [transcript_id, plan, numbers],
  );
  return rows.map(({ segments }) => segments);
}
