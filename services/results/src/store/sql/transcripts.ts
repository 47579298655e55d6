import type { Accepted } from '@earshot/contracts';
import type { Transaction } from '../database.ts';

/** The state of a transcript as results decides on it, while its row is locked. */
export interface LockedTranscript {
  readonly id: string;
  readonly tenant_id: string;
  readonly status: string;
  readonly revision: number;
  readonly generation: number;
  readonly plan: number | null;
  readonly session_id: string | null;
  readonly traceparent: string | null;
  readonly error_code: string | null;
  /** The stored coverage's gaps, to see whether a new settlement says anything new. */
  readonly gaps: unknown;
}

/** A transcript of which nothing is known yet but its name, its session and its trace. */
export interface Stub {
  readonly id: string;
  readonly tenant_id: string;
  readonly session_id: string | null;
  readonly traceparent?: string | undefined;
}

/**
 * Makes rows for transcripts that have none, and notes the trace of those that have none yet. Ids must be sorted: every
 * replica then waits in the same order.
 */
export async function insertStubs(tx: Transaction, rows: readonly Stub[]): Promise<void> {
  await tx.query(
    `INSERT INTO transcripts AS t (id, tenant_id, session_id, traceparent)
     SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[])
     ON CONFLICT (id) DO UPDATE SET traceparent = EXCLUDED.traceparent
     WHERE t.traceparent IS NULL AND EXCLUDED.traceparent IS NOT NULL AND t.tenant_id = EXCLUDED.tenant_id`,
    [
      rows.map((row) => row.id),
      rows.map((row) => row.tenant_id),
      rows.map((row) => row.session_id),
      rows.map((row) => row.traceparent ?? null),
    ],
  );
}

/** Locks transcripts in id order until the transaction ends. */
export async function lockTranscripts(tx: Transaction, ids: readonly string[]): Promise<LockedTranscript[]> {
  const { rows } = await tx.query<LockedTranscript>(
    `SELECT id, tenant_id, status, revision, generation, plan, session_id, traceparent, error_code, coverage -> 'gaps' AS gaps
     FROM transcripts WHERE id = ANY($1::uuid[]) ORDER BY id FOR UPDATE`,
    [ids],
  );
  return rows;
}

/** Fills in what `accepted` facts say; the first of a transcript stays, and no state changes. */
export async function storeAccepted(tx: Transaction, facts: readonly Accepted[]): Promise<void> {
  await tx.query(
    `UPDATE transcripts t
     SET session_id = a.session_id, engine = a.engine, lane = a.lane, key = a.key, options = a.options,
         metadata = a.metadata, warnings = a.warnings, language = coalesce(t.language, a.language),
         created_at = a.accepted_at, accepted_at = a.accepted_at,
         updated_at = clock_timestamp(), moved_at = clock_timestamp()
     FROM (
       SELECT DISTINCT ON (id) * FROM unnest(
         $1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::json[], $8::json[], $9::jsonb[],
         $10::timestamptz[]
       ) WITH ORDINALITY AS a (id, session_id, engine, lane, key, language, options, metadata, warnings, accepted_at, nth)
       ORDER BY id, nth
     ) a
     WHERE t.id = a.id AND t.accepted_at IS NULL AND t.status <> 'deleted'`,
    [
      facts.map((fact) => fact.transcript_id),
      facts.map((fact) => fact.options.session_id ?? null),
      facts.map((fact) => fact.engine),
      facts.map((fact) => fact.lane),
      facts.map((fact) => fact.key),
      facts.map((fact) => fact.options.language ?? null),
      facts.map(({ options: { metadata: _, ...options } }) => JSON.stringify(options)),
      facts.map((fact) => JSON.stringify(fact.options.metadata ?? {})),
      facts.map((fact) => JSON.stringify(fact.warnings)),
      facts.map((fact) => fact.accepted_at),
    ],
  );
}

/** Makes a locked transcript canceled; what its chunks gave so far stays. */
export async function markCanceled(tx: Transaction, id: string): Promise<void> {
  await tx.query(
    `UPDATE transcripts
     SET status = 'canceled', revision = revision + 1, completed_at = now(),
         updated_at = clock_timestamp(), moved_at = clock_timestamp()
     WHERE id = $1`,
    [id],
  );
}

/** Leads locked transcripts back to work, in their next generation; the old outcome is taken back, the text stays. */
export async function resumeTranscripts(tx: Transaction, ids: readonly string[]): Promise<void> {
  await tx.query(
    `UPDATE transcripts
     SET generation = generation + 1, status = 'processing', error_code = NULL, error_detail = NULL, coverage = NULL,
         completed_at = NULL, updated_at = clock_timestamp(), moved_at = clock_timestamp()
     WHERE id = ANY($1::uuid[])`,
    [ids],
  );
}

/**
 * Notes that work on transcripts went on; queued ones are now processing, and closed ones are left as they are. Tables that
 * were made again learn the generation from what was given up on: workers leave jobs of that one and older ones undone.
 */
export async function touchTranscripts(tx: Transaction, ids: readonly string[]): Promise<void> {
  await tx.query(
    `UPDATE transcripts
     SET status = CASE status WHEN 'queued' THEN 'processing' ELSE status END,
         generation = greatest(generation, (
           SELECT max(d.generation) FROM dead_letters d WHERE d.transcript_id = transcripts.id AND d.stage <> 'message'
         )),
         updated_at = clock_timestamp(), moved_at = clock_timestamp()
     WHERE id = ANY($1::uuid[]) AND status NOT IN ('completed', 'canceled', 'deleted')`,
    [ids],
  );
}

/** A final state as it is written; the revision is the one that it gets. */
export interface FinishedTranscript {
  readonly id: string;
  readonly status: 'completed' | 'partial' | 'failed';
  readonly revision: number;
  readonly plan: number | null;
  readonly duration_ms: number | null;
  readonly text: string;
  readonly language: string | null;
  readonly coverage: object;
  readonly error_code: string | null;
  readonly error_detail: string | null;
}

/** Writes final states of locked transcripts. */
export async function finishTranscripts(tx: Transaction, rows: readonly FinishedTranscript[]): Promise<void> {
  await tx.query(
    `UPDATE transcripts t
     SET status = f.status, revision = f.revision, plan = f.plan, duration_ms = f.duration_ms, text = f.text,
         language = coalesce(f.language, t.language), coverage = f.coverage, error_code = f.error_code,
         error_detail = f.error_detail, completed_at = now(),
         updated_at = clock_timestamp(), moved_at = clock_timestamp()
     FROM unnest(
       $1::uuid[], $2::text[], $3::int[], $4::int[], $5::bigint[], $6::text[], $7::text[], $8::jsonb[], $9::text[],
       $10::text[]
     ) AS f (id, status, revision, plan, duration_ms, text, language, coverage, error_code, error_detail)
     WHERE t.id = f.id`,
    [
      rows.map((row) => row.id),
      rows.map((row) => row.status),
      rows.map((row) => row.revision),
      rows.map((row) => row.plan),
      rows.map((row) => row.duration_ms),
      rows.map((row) => row.text),
      rows.map((row) => row.language),
      rows.map((row) => JSON.stringify(row.coverage)),
      rows.map((row) => row.error_code),
      rows.map((row) => row.error_detail),
    ],
  );
}
