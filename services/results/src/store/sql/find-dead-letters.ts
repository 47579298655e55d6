import type { Evidence, Stage } from '@earshot/contracts';
import type { Transaction } from '../database.ts';

/** A dead letter as it is shown in lists. */
export interface DeadLetterRow {
  readonly id: number;
  readonly tenant_id: string | null;
  readonly transcript_id: string | null;
  readonly stage: Stage | 'message';
  readonly plan: number;
  readonly n: number;
  readonly generation: number;
  readonly attempt: number | null;
  readonly code: string;
  readonly detail: string;
  readonly state: 'open' | 'replayed' | 'discarded' | 'resolved';
  readonly start_ms: number | null;
  readonly end_ms: number | null;
  readonly created_at: Date;
  readonly replayed_at: Date | null;
  readonly discarded_at: Date | null;
}

/** A dead letter with everything that is kept of it. */
export interface FullDeadLetterRow extends DeadLetterRow {
  readonly evidence: Evidence;
  readonly subject: string;
  readonly seq: number;
  readonly job: unknown;
  readonly payload: Buffer | null;
  /** Of its transcript; null when it belongs to none. */
  readonly status: string | null;
}

/** Whose dead letters are meant: a tenant's, and those that are nobody's where `nobodys` is set. */
export interface LetterOwner {
  readonly tenant: string;
  readonly nobodys: boolean;
}

/** Which dead letters are meant; what is undefined does not restrict. */
export interface LetterFilter extends LetterOwner {
  readonly states: readonly string[];
  readonly transcript_id?: string | undefined;
  readonly stage?: string | undefined;
  readonly code?: string | undefined;
  readonly created_after?: string | undefined;
  readonly created_before?: string | undefined;
}

/** `resolved`: the piece has its result, or the transcript does without. */
const STATE = `CASE
  WHEN d.discarded_at IS NOT NULL THEN 'discarded'
  WHEN d.replayed_at IS NOT NULL THEN 'replayed'
  WHEN d.stage = 'message' THEN 'open'
  WHEN t.status IN ('completed', 'canceled') THEN 'resolved'
  WHEN d.stage = 'chunk' AND EXISTS (
    SELECT FROM chunks c WHERE (c.transcript_id, c.plan, c.n) = (d.transcript_id, d.plan, d.n)
  ) THEN 'resolved'
  WHEN d.stage = 'chunk' AND EXISTS (
    SELECT FROM splits s WHERE (s.transcript_id, s.plan) = (d.transcript_id, d.plan) AND s.count <= d.n
  ) THEN 'resolved'
  WHEN d.stage = 'accept' AND t.accepted_at IS NOT NULL THEN 'resolved'
  WHEN d.stage <> 'chunk' AND EXISTS (SELECT FROM splits s WHERE s.transcript_id = d.transcript_id) THEN 'resolved'
  ELSE 'open' END`;

const FROM = `FROM dead_letters d LEFT JOIN transcripts t ON t.id = d.transcript_id CROSS JOIN LATERAL (SELECT ${STATE}) x (state)`;

const SUMMARY = `d.id, d.tenant_id, d.transcript_id, d.stage, d.plan, d.n, d.generation, d.attempt, d.code,
  coalesce(d.evidence ->> 'detail', d.code) AS detail, x.state, d.start_ms, d.end_ms, d.created_at, d.replayed_at,
  d.discarded_at`;

const FULL = `${SUMMARY}, d.evidence, d.subject, d.seq, d.job, d.payload, t.status`;

const MATCHES = `(d.tenant_id = $1 OR ($2 AND d.tenant_id IS NULL))
  AND x.state = ANY($3::text[])
  AND ($4::uuid IS NULL OR d.transcript_id = $4)
  AND ($5::text IS NULL OR d.stage = $5)
  AND ($6::text IS NULL OR d.code = $6)
  AND ($7::timestamptz IS NULL OR d.created_at > $7)
  AND ($8::timestamptz IS NULL OR d.created_at < $8)`;

const matching = (filter: LetterFilter) => [
  filter.tenant,
  filter.nobodys,
  filter.states,
  filter.transcript_id ?? null,
  filter.stage ?? null,
  filter.code ?? null,
  filter.created_after ?? null,
  filter.created_before ?? null,
];

/** Newest first, at most `limit`. */
export async function listDeadLetters(
  tx: Transaction,
  filter: LetterFilter,
  page: {
    readonly after?: { readonly created_at: string; readonly id: string } | undefined;
    readonly limit: number;
  },
): Promise<DeadLetterRow[]> {
  const { rows } = await tx.query<DeadLetterRow>(
    `SELECT ${SUMMARY} ${FROM}
     WHERE ${MATCHES} AND ($9::timestamptz IS NULL OR (d.created_at, d.id) < ($9, $10::bigint))
     ORDER BY d.created_at DESC, d.id DESC LIMIT $11`,
    [...matching(filter), page.after?.created_at ?? null, page.after?.id ?? null, page.limit],
  );
  return rows;
}

/** One dead letter, whatever its state. */
export async function findDeadLetter(
  tx: Transaction,
  { tenant, nobodys }: LetterOwner,
  id: string,
): Promise<FullDeadLetterRow | undefined> {
  const { rows } = await tx.query<FullDeadLetterRow>(
    `SELECT ${FULL} ${FROM} WHERE d.id = $3 AND (d.tenant_id = $1 OR ($2 AND d.tenant_id IS NULL))`,
    [tenant, nobodys, id],
  );
  return rows[0];
}

/** A page of those to be dealt with, oldest first. */
export async function pageOfDeadLetters(
  tx: Transaction,
  filter: LetterFilter,
  page: { readonly after: number; readonly upTo: number; readonly limit: number },
): Promise<FullDeadLetterRow[]> {
  const { rows } = await tx.query<FullDeadLetterRow>(
    `SELECT ${FULL} ${FROM} WHERE ${MATCHES} AND d.id > $9 AND d.id <= $10 ORDER BY d.id LIMIT $11`,
    [...matching(filter), page.after, page.upTo, page.limit],
  );
  return rows;
}

/** The newest id there is; work that is given up on later gets a higher one. */
export async function newestDeadLetter(tx: Transaction): Promise<number> {
  const { rows } = await tx.query<{ id: number }>('SELECT coalesce(max(id), 0) AS id FROM dead_letters');
  return rows[0]?.id ?? 0;
}

/** Where the chunk of a dead letter lies, by the cuts of its plan. */
export interface LetterCut {
  readonly id: number;
  readonly cut: { readonly key: string; readonly start_ms: number; readonly end_ms: number } | null;
}

/** Those of `ids` that are still open, with their cuts; asked again once their transcripts are locked. */
export async function stillOpen(tx: Transaction, ids: readonly number[]): Promise<LetterCut[]> {
  const { rows } = await tx.query<LetterCut>(
    `SELECT d.id, s.cuts -> d.n AS cut ${FROM}
     LEFT JOIN splits s ON (s.transcript_id, s.plan) = (d.transcript_id, d.plan)
     WHERE d.id = ANY($1::bigint[]) AND x.state = 'open'`,
    [ids],
  );
  return rows;
}

/** How many dead letters of all tenants nobody has dealt with, by stage. */
export async function countOpenLetters(tx: Transaction): Promise<{ stage: string; letters: number }[]> {
  const { rows } = await tx.query<{ stage: string; letters: number }>(
    `SELECT d.stage, count(*) AS letters ${FROM}
     WHERE d.replayed_at IS NULL AND d.discarded_at IS NULL AND x.state = 'open' GROUP BY d.stage`,
  );
  return rows;
}
