import type { Final } from '@earshot/contracts';
import type { Transaction } from '../database.ts';

/** What a transcript is called whose text was published once and can no longer be put together. */
const LOST = 'unreadable_result';

/**
 * Makes rows agree with final facts that were published before: the revision goes on from theirs, what was canceled or
 * deleted stays so, and a transcript whose results are gone is `failed`, never run again by itself; one that was sent round
 * again since stays in work. Final facts of the outbox that these are are not published once more. Rows must exist and be
 * locked.
 */
export async function adoptFinals(tx: Transaction, finals: readonly Final[]): Promise<void> {
  const params = [
    finals.map((fact) => fact.transcript_id),
    finals.map((fact) => fact.status),
    finals.map((fact) => fact.revision),
  ];
  const facts = 'unnest($1::uuid[], $2::text[], $3::int[]) AS f (id, status, revision)';
  await tx.query(
    `UPDATE outbox o SET published_at = now()
     FROM ${facts}
     WHERE o.transcript_id = f.id AND o.type = f.status AND o.revision <= f.revision AND o.published_at IS NULL`,
    params,
  );
  await tx.query(
    `UPDATE transcripts t
     SET revision = greatest(t.revision, f.revision), updated_at = clock_timestamp(), moved_at = clock_timestamp(),
         completed_at = coalesce(t.completed_at, now()),
         status = CASE
           WHEN f.status IN ('canceled', 'deleted') THEN f.status
           WHEN t.status IN ('queued', 'processing') THEN 'failed'
           ELSE t.status END,
         error_code = CASE
           WHEN f.status NOT IN ('canceled', 'deleted') AND t.status IN ('queued', 'processing') THEN '${LOST}'
           ELSE t.error_code END
     FROM (
       SELECT DISTINCT ON (id) id, status, revision FROM ${facts} ORDER BY id, revision DESC
     ) f
     WHERE t.id = f.id AND t.status <> 'deleted'
       AND (t.revision < f.revision OR (t.revision = f.revision AND f.status IN ('canceled', 'deleted')))`,
    params,
  );
}
