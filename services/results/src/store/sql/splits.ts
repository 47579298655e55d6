import type { Split } from '@earshot/contracts';
import type { Transaction } from '../database.ts';
import { STANDS } from './replays.ts';

/** Stores splits, the first of a plan stays; returns the transcripts that got one. */
export async function insertSplits(tx: Transaction, facts: readonly Split[]): Promise<string[]> {
  const { rows } = await tx.query<{ transcript_id: string }>(
    `INSERT INTO splits
       (transcript_id, plan, generation, count, duration_ms, channels, cuts, peaks_key, truncated, code, detail)
     SELECT * FROM unnest(
       $1::uuid[], $2::int[], $3::int[], $4::int[], $5::bigint[], $6::int[], $7::jsonb[], $8::text[], $9::bool[],
       $10::text[], $11::text[]
     )
     ON CONFLICT DO NOTHING
     RETURNING transcript_id`,
    [
      facts.map((fact) => fact.transcript_id),
      facts.map((fact) => fact.plan),
      facts.map((fact) => fact.generation),
      facts.map((fact) => fact.count),
      facts.map((fact) => fact.duration_ms),
      facts.map((fact) => fact.channels),
      facts.map((fact) => JSON.stringify(fact.cuts)),
      facts.map((fact) => fact.peaks_key ?? null),
      facts.map((fact) => fact.truncated ?? false),
      facts.map((fact) => fact.code ?? null),
      facts.map((fact) => fact.detail ?? null),
    ],
  );
  return rows.map((row) => row.transcript_id);
}

/** How far a plan is: of its `count` chunks, how many have a result, and how many more were given up on. */
export interface PlanStanding {
  readonly transcript_id: string;
  readonly plan: number;
  readonly count: number;
  readonly truncated: boolean;
  readonly done: number;
  /** Without a result, and not sent round again since. */
  readonly given_up: number;
}

/** The standing of every plan whose split is in. */
export async function planStandings(tx: Transaction, ids: readonly string[]): Promise<PlanStanding[]> {
  const { rows } = await tx.query<PlanStanding>(
    `SELECT s.transcript_id, s.plan, s.count, s.truncated, done.chunks AS done, given_up.chunks AS given_up
     FROM splits s
     CROSS JOIN LATERAL (
       SELECT count(*) AS chunks FROM chunks c
       WHERE c.transcript_id = s.transcript_id AND c.plan = s.plan AND c.n < s.count
     ) done
     CROSS JOIN LATERAL (
       SELECT count(DISTINCT d.n) AS chunks FROM dead_letters d
       WHERE d.transcript_id = s.transcript_id AND d.stage = 'chunk' AND d.plan = s.plan AND d.n < s.count
         AND ${STANDS}
         AND NOT EXISTS (
           SELECT FROM chunks c WHERE c.transcript_id = d.transcript_id AND c.plan = d.plan AND c.n = d.n
         )
     ) given_up
     WHERE s.transcript_id = ANY($1::uuid[])
     ORDER BY s.transcript_id, s.plan`,
    [ids],
  );
  return rows;
}
