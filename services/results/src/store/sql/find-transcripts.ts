import type { Warning } from '@earshot/contracts';
import type { TranscriptCoverage } from '@earshot/domain';
import type { Waits } from '../../waits/engine-waits.ts';
import type { Transaction } from '../database.ts';

/** A transcript as it is shown in lists. */
export interface TranscriptRow {
  readonly id: string;
  readonly tenant_id: string;
  /** `waiting_quota` while it is unfinished and its engine waits. */
  readonly status: string;
  /** When work on it may go on; null unless it waits. */
  readonly waiting_until: Date | null;
  readonly revision: number;
  /** The plan that made it, or the newest one known while it is being made. */
  readonly plan: number | null;
  readonly session_id: string | null;
  readonly engine: string | null;
  readonly lane: string | null;
  readonly language: string | null;
  readonly duration_ms: number | null;
  readonly error_code: string | null;
  readonly error_detail: string | null;
  readonly created_at: Date;
  readonly updated_at: Date;
  readonly completed_at: Date | null;
  /** Changes with every change of the row. */
  readonly version: number;
  readonly chunks_done: number;
  readonly chunks_total: number | null;
  readonly done_ms: number;
}

/** A transcript with its text. */
export interface FullTranscriptRow extends TranscriptRow {
  readonly key: string | null;
  readonly text: string;
  readonly coverage: TranscriptCoverage | null;
  readonly warnings: Warning[];
  readonly metadata: Record<string, unknown> | null;
  readonly traceparent: string | null;
}

/** When a transcript `t` may go on whose engine waits; `$1` and `$2` are the engines that do, and their ends. */
const WAITING_UNTIL = `CASE WHEN t.status IN ('queued', 'processing') THEN (
    SELECT w.until FROM unnest($1::text[], $2::timestamptz[]) AS w (engine, until) WHERE w.engine = t.engine
  ) END`;

const STATUS = `CASE WHEN ${WAITING_UNTIL} IS NULL THEN t.status ELSE 'waiting_quota' END`;

const SUMMARY = `
  t.id, t.tenant_id, ${STATUS} AS status, ${WAITING_UNTIL} AS waiting_until, t.revision, at.plan, t.session_id, t.engine, t.lane, t.language,
  coalesce(t.duration_ms, s.duration_ms) AS duration_ms, t.error_code, t.error_detail, t.created_at, t.updated_at,
  t.completed_at, (extract(epoch FROM t.updated_at) * 1000000)::bigint AS version,
  done.chunks AS chunks_done, s.count AS chunks_total, done.ms AS done_ms`;

/** The standing of a transcript's plan; `t` is the transcript. */
const PROGRESS = `
  CROSS JOIN LATERAL (
    SELECT coalesce(
      t.plan,
      (SELECT max(plan) FROM splits WHERE transcript_id = t.id),
      (SELECT max(plan) FROM chunks WHERE transcript_id = t.id)
    ) AS plan
  ) at
  LEFT JOIN splits s ON s.transcript_id = t.id AND s.plan = at.plan
  CROSS JOIN LATERAL (
    SELECT count(*) AS chunks, coalesce(sum(c.end_ms - c.start_ms), 0)::bigint AS ms
    FROM chunks c
    WHERE c.transcript_id = t.id AND c.plan = at.plan AND c.n < coalesce(s.count, c.n + 1)
  ) done`;

const paramsOf = (waits: Waits) => [[...waits.keys()], [...waits.values()]];

/** The transcript of a tenant; a deleted one too. */
export async function findTranscript(
  tx: Transaction,
  tenant: string,
  id: string,
  waits: Waits,
): Promise<FullTranscriptRow | undefined> {
  const { rows } = await tx.query<FullTranscriptRow>(
    `SELECT ${SUMMARY}, t.key, t.text, t.coverage, t.warnings, t.metadata, t.traceparent
     FROM transcripts t ${PROGRESS}
     WHERE t.id = $3 AND t.tenant_id = $4`,
    [...paramsOf(waits), id, tenant],
  );
  return rows[0];
}

/** Which transcripts to list; what is undefined does not restrict. */
export interface TranscriptFilter {
  readonly tenant: string;
  /** Engines that wait. */
  readonly waits: Waits;
  readonly statuses?: readonly string[] | undefined;
  readonly session_id?: string | undefined;
  readonly engine?: string | undefined;
  readonly lane?: string | undefined;
  readonly created_after?: string | undefined;
  readonly created_before?: string | undefined;
  /** Words as in a web search. */
  readonly q?: string | undefined;
  /** The last transcript of the page before. */
  readonly after?: { readonly created_at: string; readonly id: string } | undefined;
  readonly limit: number;
}

/** Newest first, at most `limit`. The page is chosen first, so progress is only counted for what is shown. */
export async function listTranscripts(tx: Transaction, filter: TranscriptFilter): Promise<TranscriptRow[]> {
  const { rows } = await tx.query<TranscriptRow>(
    `SELECT ${SUMMARY}
     FROM (
       SELECT * FROM transcripts t
       WHERE t.tenant_id = $3 AND t.status <> 'deleted'
         AND ($4::text[] IS NULL OR ${STATUS} = ANY($4))
         AND ($5::text IS NULL OR t.session_id = $5)
         AND ($6::text IS NULL OR t.engine = $6)
         AND ($7::text IS NULL OR coalesce(t.lane, 'normal') = $7)
         AND ($8::timestamptz IS NULL OR t.created_at > $8)
         AND ($9::timestamptz IS NULL OR t.created_at < $9)
         AND ($10::text IS NULL OR t.search @@ websearch_to_tsquery('pg_catalog.simple', $10))
         AND ($11::timestamptz IS NULL OR (t.created_at, t.id) < ($11, $12::uuid))
       ORDER BY t.created_at DESC, t.id DESC
       LIMIT $13
     ) t ${PROGRESS}
     ORDER BY t.created_at DESC, t.id DESC`,
    [
      ...paramsOf(filter.waits),
      filter.tenant,
      filter.statuses ?? null,
      filter.session_id ?? null,
      filter.engine ?? null,
      filter.lane ?? null,
      filter.created_after ?? null,
      filter.created_before ?? null,
      filter.q ?? null,
      filter.after?.created_at ?? null,
      filter.after?.id ?? null,
      filter.limit,
    ],
  );
  return rows;
}
