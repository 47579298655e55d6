import type { UsageGroup, UsageSum } from '@earshot/contracts';
import type { Transaction } from '../database.ts';

/** What the paid calls of one chunk cost. */
export interface Usage {
  readonly transcript_id: string;
  readonly plan: number;
  readonly n: number;
  readonly engine: string;
  readonly tenant_id: string;
  readonly model: string;
  /** Length of the chunk; `billed_ms` may be a multiple of it, channel by channel. */
  readonly audio_ms: number;
  readonly billed_ms: number;
  readonly billed_at: Date;
}

const INSERT = `
  INSERT INTO usage AS u (transcript_id, plan, n, engine, tenant_id, model, audio_ms, billed_ms, billed_at)
  SELECT * FROM unnest(
    $1::uuid[], $2::int[], $3::int[], $4::text[], $5::text[], $6::text[], $7::bigint[], $8::bigint[], $9::timestamptz[]
  )`;

const columnsOf = (rows: readonly Usage[]) => [
  rows.map((row) => row.transcript_id),
  rows.map((row) => row.plan),
  rows.map((row) => row.n),
  rows.map((row) => row.engine),
  rows.map((row) => row.tenant_id),
  rows.map((row) => row.model),
  rows.map((row) => row.audio_ms),
  rows.map((row) => row.billed_ms),
  rows.map((row) => row.billed_at),
];

/** Stores what calls cost, the first of a chunk and engine stays; returns what is new. */
export async function insertUsage(
  tx: Transaction,
  rows: readonly Usage[],
): Promise<Pick<Usage, 'engine' | 'billed_ms'>[]> {
  const stored = await tx.query<Pick<Usage, 'engine' | 'billed_ms'>>(
    `${INSERT} ON CONFLICT DO NOTHING RETURNING engine, billed_ms`,
    columnsOf(rows),
  );
  return stored.rows;
}

/** Stores what calls cost where nothing, or less, is known; the rest of a row stays. Returns how many changed. */
export async function raiseUsage(tx: Transaction, rows: readonly Usage[]): Promise<number> {
  const { rowCount } = await tx.query(
    `${INSERT}
     ON CONFLICT (transcript_id, plan, n, engine) DO UPDATE SET billed_ms = EXCLUDED.billed_ms
     WHERE u.billed_ms < EXCLUDED.billed_ms`,
    columnsOf(rows),
  );
  return rowCount ?? 0;
}

/** What is known of transcripts. */
export async function usageOf(
  tx: Transaction,
  ids: readonly string[],
): Promise<Pick<Usage, 'transcript_id' | 'plan' | 'n' | 'engine' | 'billed_ms'>[]> {
  const { rows } = await tx.query<Usage>(
    'SELECT transcript_id, plan, n, engine, billed_ms FROM usage WHERE transcript_id = ANY($1::uuid[])',
    [ids],
  );
  return rows;
}

/** Which usage is meant; what is undefined does not restrict. */
export interface UsageFilter {
  readonly tenant: string | undefined;
  /** UTC days as `YYYY-MM-DD`, both inclusive. */
  readonly from: string;
  readonly to: string;
}

/** What rows are summed by, as text; days are UTC. */
const KEYS: Readonly<Record<UsageGroup, string>> = {
  day: `to_char(billed_at AT TIME ZONE 'UTC', 'YYYY-MM-DD')`,
  engine: 'engine',
  model: `engine || '/' || model`,
  transcript: 'transcript_id::text',
};

const SUMS = `count(*) AS chunks, coalesce(sum(audio_ms), 0)::bigint AS audio_ms,
  coalesce(sum(billed_ms), 0)::bigint AS billed_ms`;
const WANTED = `billed_at >= ($2::date)::timestamp AT TIME ZONE 'UTC'
  AND billed_at < ($3::date + 1)::timestamp AT TIME ZONE 'UTC' AND ($1::text IS NULL OR tenant_id = $1)`;

const paramsOf = ({ tenant, from, to }: UsageFilter) => [tenant ?? null, from, to];

/** Sums by tenant and key, in that order, at most `limit`, those after `after`. */
export async function sumUsage(
  tx: Transaction,
  filter: UsageFilter & {
    readonly group: UsageGroup;
    readonly after: { readonly tenant_id: string; readonly key: string } | undefined;
    readonly limit: number;
  },
): Promise<UsageSum[]> {
  const { group, after, limit } = filter;
  const { rows } = await tx.query<UsageSum>(
    `SELECT * FROM (
       SELECT tenant_id, ${KEYS[group]} AS key, ${SUMS} FROM usage WHERE ${WANTED} GROUP BY 1, 2
     ) sums
     WHERE $4::text IS NULL OR (tenant_id, key) > ($4, $5)
     ORDER BY tenant_id, key LIMIT $6`,
    [...paramsOf(filter), after?.tenant_id ?? null, after?.key ?? null, limit],
  );
  return rows;
}

/** The sum of all of it. */
export async function totalUsage(
  tx: Transaction,
  filter: UsageFilter,
): Promise<Omit<UsageSum, 'tenant_id' | 'key'>> {
  const { rows } = await tx.query<Omit<UsageSum, 'tenant_id' | 'key'>>(
    `SELECT ${SUMS} FROM usage WHERE ${WANTED}`,
    paramsOf(filter),
  );
  return rows[0] ?? { chunks: 0, audio_ms: 0, billed_ms: 0 };
}

/** Transcripts that were made on these days and have ended, by id; those that are deleted have no ledger any more. */
export async function endedTranscripts(
  tx: Transaction,
  filter: UsageFilter & { readonly after: string | undefined; readonly limit: number },
): Promise<{ id: string; tenant_id: string }[]> {
  const { rows } = await tx.query<{ id: string; tenant_id: string }>(
    `SELECT id, tenant_id FROM transcripts
     WHERE status NOT IN ('queued', 'processing', 'deleted') AND ($4::uuid IS NULL OR id > $4)
       AND created_at >= ($2::date)::timestamp AT TIME ZONE 'UTC'
       AND created_at < ($3::date + 1)::timestamp AT TIME ZONE 'UTC' AND ($1::text IS NULL OR tenant_id = $1)
     ORDER BY id LIMIT $5`,
    [...paramsOf(filter), filter.after ?? null, filter.limit],
  );
  return rows;
}
