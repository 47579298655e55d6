import type { DeadLetter, DeadLetterSummary } from '@earshot/contracts';
import type { DeadLetterRow, FullDeadLetterRow } from '../store/sql/find-dead-letters.ts';

/** A dead letter as lists show it. */
export function toLetterSummary(row: DeadLetterRow): DeadLetterSummary {
  const { id, tenant_id, transcript_id, stage, plan, n, generation, attempt, code, detail, state } = row;
  return {
    ...{ id, tenant_id, transcript_id, stage, plan, n, generation, attempt, code, detail, state },
    start_ms: row.start_ms,
    end_ms: row.end_ms,
    created_at: row.created_at.toISOString(),
    replayed_at: row.replayed_at?.toISOString() ?? null,
    discarded_at: row.discarded_at?.toISOString() ?? null,
  };
}

/** A dead letter with its evidence. */
export function toLetter(row: FullDeadLetterRow): DeadLetter {
  const { evidence, subject, seq, job } = row;
  const payload_base64 = row.payload?.toString('base64') ?? null;
  return { ...toLetterSummary(row), evidence, subject, seq, job, payload_base64 };
}
