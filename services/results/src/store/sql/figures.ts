import type { Transaction } from '../database.ts';
import { STANDS } from './replays.ts';

/** Audio of unfinished transcripts of an engine and lane that has neither a result nor a gap. */
export interface Backlog {
  readonly engine: string;
  readonly lane: string;
  readonly audio_ms: number;
}

/** Measured by what is known: a recording that is not cut to its end counts from then on. */
export async function backlog(tx: Transaction): Promise<Backlog[]> {
  const { rows } = await tx.query<Backlog>(
    `SELECT t.engine, t.lane, sum(greatest(0, coalesce(s.duration_ms, t.duration_ms, 0) - settled.ms))::bigint AS audio_ms
     FROM transcripts t
     LEFT JOIN LATERAL (
       SELECT plan, duration_ms FROM splits WHERE transcript_id = t.id ORDER BY plan DESC LIMIT 1
     ) s ON true
     CROSS JOIN LATERAL (
       SELECT coalesce(sum(piece.ms), 0) AS ms FROM (
         SELECT c.end_ms - c.start_ms AS ms FROM chunks c WHERE c.transcript_id = t.id AND c.plan = s.plan
         UNION ALL
         SELECT d.end_ms - d.start_ms FROM dead_letters d
         WHERE d.transcript_id = t.id AND d.stage = 'chunk' AND d.plan = s.plan AND ${STANDS}
       ) piece
     ) settled
     WHERE t.status IN ('queued', 'processing') AND t.engine IS NOT NULL AND t.lane IS NOT NULL
     GROUP BY t.engine, t.lane`,
  );
  return rows;
}

/** Distinct sessions of unfinished transcripts. */
export async function concurrentUsers(tx: Transaction): Promise<number> {
  const { rows } = await tx.query<{ users: number }>(
    `SELECT count(*) AS users FROM (
       SELECT DISTINCT tenant_id, session_id FROM transcripts
       WHERE status IN ('queued', 'processing') AND session_id IS NOT NULL
     ) one`,
  );
  return rows[0]?.users ?? 0;
}

/** What an engine did of late. */
export interface RecentWork {
  readonly engine: string;
  readonly chunks: number;
  readonly engine_ms: number;
  readonly audio_ms: number;
}

/** Chunks that were transcribed within the last `minutes`, by engine. */
export async function recentWork(tx: Transaction, minutes: number): Promise<RecentWork[]> {
  const { rows } = await tx.query<RecentWork>(
    `SELECT engine, count(*) AS chunks, sum(engine_ms)::bigint AS engine_ms, sum(end_ms - start_ms)::bigint AS audio_ms
     FROM chunks WHERE created_at > now() - $1 * interval '1 minute' GROUP BY engine`,
    [minutes],
  );
  return rows;
}

/** Pieces of work that were given up on within the last `minutes`. */
export async function recentFailures(tx: Transaction, minutes: number): Promise<number> {
  const { rows } = await tx.query<{ failures: number }>(
    `SELECT count(*) AS failures FROM dead_letters
     WHERE created_at > now() - $1 * interval '1 minute' AND stage <> 'message'`,
    [minutes],
  );
  return rows[0]?.failures ?? 0;
}
