import type { ChannelMode, Cut, Lane } from '@earshot/contracts';
import type { Transaction } from '../database.ts';

/** What every job of a transcript says of its recording, and how often it was sent round so far. */
export interface Recording {
  readonly transcript_id: string;
  readonly tenant_id: string;
  readonly generation: number;
  readonly engine: string;
  readonly lane: Lane;
  /** Storage key of the recording. */
  readonly key: string;
  readonly channels: ChannelMode;
  readonly language: string | null;
  readonly accepted_at: Date;
  readonly traceparent: string | null;
}

/** The columns of a {@link Recording} from a transcript `t`. */
export const RECORDING = `t.id AS transcript_id, t.tenant_id, t.generation, t.engine, t.lane, t.key,
  coalesce(t.options ->> 'channels', 'auto') AS channels, t.options ->> 'language' AS language, t.accepted_at,
  t.traceparent`;

/** The recordings of transcripts, as far as they were accepted. */
export async function loadRecordings(tx: Transaction, ids: readonly string[]): Promise<Recording[]> {
  const { rows } = await tx.query<Recording>(
    `SELECT ${RECORDING} FROM transcripts t WHERE t.id = ANY($1::uuid[]) AND t.accepted_at IS NOT NULL`,
    [ids],
  );
  return rows;
}

/** A transcript of which not even the acceptance is stored, and the upload event when that was given up on. */
export interface Unaccepted {
  readonly transcript_id: string;
  readonly tenant_id: string;
  /** The event as its dead letter kept it. */
  readonly upload: unknown;
}

/** Those of `ids` that are open and whose acceptance is not stored; only a tenant's where one is given. */
export async function findUnaccepted(
  tx: Transaction,
  ids: readonly string[],
  tenant: string | undefined,
): Promise<Unaccepted[]> {
  const { rows } = await tx.query<Unaccepted>(
    `SELECT t.id AS transcript_id, t.tenant_id, (
       SELECT d.job FROM dead_letters d WHERE d.transcript_id = t.id AND d.stage = 'accept' ORDER BY d.id DESC LIMIT 1
     ) AS upload
     FROM transcripts t
     WHERE t.id = ANY($1::uuid[]) AND t.accepted_at IS NULL AND t.status IN ('processing', 'partial', 'failed')
       AND ($2::text IS NULL OR t.tenant_id = $2)`,
    [ids, tenant ?? null],
  );
  return rows;
}

/** A plan that is cut, and the cuts that have no result. */
export interface UnfinishedPlan {
  readonly plan: number;
  readonly missing: readonly { readonly n: number; readonly cut: Cut }[];
}

/** The plan that made a transcript, or its newest one; undefined while no plan is cut to its end. */
export async function unfinishedPlan(tx: Transaction, id: string): Promise<UnfinishedPlan | undefined> {
  const { rows } = await tx.query<UnfinishedPlan>(
    `SELECT s.plan, coalesce((
       SELECT jsonb_agg(jsonb_build_object('n', c.nth - 1, 'cut', c.cut) ORDER BY c.nth)
       FROM jsonb_array_elements(s.cuts) WITH ORDINALITY AS c (cut, nth)
       WHERE c.nth <= s.count
         AND NOT EXISTS (SELECT FROM chunks k WHERE (k.transcript_id, k.plan, k.n) = (s.transcript_id, s.plan, c.nth - 1))
     ), '[]') AS missing
     FROM splits s JOIN transcripts t ON t.id = s.transcript_id
     WHERE s.transcript_id = $1
     ORDER BY s.plan = t.plan DESC NULLS LAST, s.plan DESC LIMIT 1`,
    [id],
  );
  return rows[0];
}

/** Those of `ids` that have no row. */
export async function withoutTranscript(tx: Transaction, ids: readonly string[]): Promise<string[]> {
  const { rows } = await tx.query<{ id: string }>(
    'SELECT w.id FROM unnest($1::uuid[]) AS w (id) WHERE NOT EXISTS (SELECT FROM transcripts t WHERE t.id = w.id)',
    [ids],
  );
  return rows.map(({ id }) => id);
}
