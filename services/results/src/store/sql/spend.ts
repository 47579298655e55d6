import { parseReservation } from '@earshot/contracts';
import type { Transaction } from '../database.ts';

/** What an engine charged for since a moment, by tenant, in milliseconds of audio. */
export async function billedSince(
  tx: Transaction,
  engine: string,
  since: Date,
): Promise<Record<string, number>> {
  const { rows } = await tx.query<{ tenant_id: string; billed_ms: number }>(
    `SELECT tenant_id, sum(billed_ms)::bigint AS billed_ms FROM usage
     WHERE billed_at >= $2 AND engine = $1 GROUP BY tenant_id ORDER BY tenant_id`,
    [engine, since],
  );
  return Object.fromEntries(rows.map(({ tenant_id, billed_ms }) => [tenant_id, billed_ms]));
}

/**
 * Those reservations of an engine that stand for nothing any more: the chunk has its result, so that its price is in the
 * sums, or its transcript has ended, or the name is none.
 */
export async function endedReservations(tx: Transaction, names: readonly string[]): Promise<Set<string>> {
  const known = names.flatMap((name) => {
    const chunk = parseReservation(name);
    return chunk ? [{ name, ...chunk }] : [];
  });
  const { rows } = await tx.query<{ name: string }>(
    `SELECT r.name FROM unnest($1::text[], $2::uuid[], $3::int[], $4::int[]) AS r (name, transcript_id, plan, n)
     WHERE NOT EXISTS (SELECT FROM chunks c WHERE (c.transcript_id, c.plan, c.n) = (r.transcript_id, r.plan, r.n))
       AND NOT EXISTS (
         SELECT FROM transcripts t WHERE t.id = r.transcript_id AND t.status NOT IN ('queued', 'processing')
       )`,
    [
      known.map(({ name }) => name),
      known.map(({ transcript_id }) => transcript_id),
      known.map(({ plan }) => plan),
      known.map(({ n }) => n),
    ],
  );
  const open = new Set(rows.map(({ name }) => name));
  return new Set(names.filter((name) => !open.has(name)));
}
