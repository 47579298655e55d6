import { isDeepStrictEqual } from 'node:util';
import type { Final } from '@earshot/contracts';
import { assembleTranscript, errorTable, isErrorCode } from '@earshot/domain';
import type { Transaction } from '../store/database.ts';
import { loadPlans, type PlanResults } from '../store/sql/chunks.ts';
import { type StageFailure, stageFailures } from '../store/sql/dead-letters.ts';
import { insertOutbox, type OutboxRow } from '../store/sql/outbox.ts';
import { planStandings } from '../store/sql/splits.ts';
import {
  type FinishedTranscript,
  finishTranscripts,
  type LockedTranscript,
} from '../store/sql/transcripts.ts';
import { isOpen, winningPlan } from './settle.ts';

const NO_COVERAGE = { speech_ms: 0, transcribed_ms: 0, gaps: [] };

const describe = (code: string) => (isErrorCode(code) ? errorTable[code].title : code);

function fromPlan(transcript: LockedTranscript, results: PlanResults): FinishedTranscript | undefined {
  const { split, plan } = results;
  if (!split) return undefined;
  const { status, text, language, coverage } = assembleTranscript({ ...results, split });
  const reason = split.truncated && split.code ? split.code : coverage.gaps[0]?.code;
  const detail = split.truncated ? split.detail : null;
  return {
    id: transcript.id,
    status,
    revision: transcript.revision + 1,
    plan,
    duration_ms: split.duration_ms,
    text,
    language,
    coverage,
    error_code: reason ?? null,
    error_detail: reason === undefined ? null : (detail ?? describe(reason)),
  };
}

function fromFailure(transcript: LockedTranscript, failure: StageFailure): FinishedTranscript {
  return {
    id: transcript.id,
    status: 'failed',
    revision: transcript.revision + 1,
    plan: null,
    duration_ms: null,
    text: '',
    language: null,
    coverage: NO_COVERAGE,
    error_code: failure.code,
    error_detail: failure.detail,
  };
}

/** False when the stored final state already says the same. */
function saysMore(transcript: LockedTranscript, finished: FinishedTranscript): boolean {
  const { gaps } = finished.coverage as { gaps: unknown };
  return !(
    transcript.status === finished.status &&
    transcript.plan === finished.plan &&
    transcript.error_code === finished.error_code &&
    isDeepStrictEqual(transcript.gaps, gaps)
  );
}

function finalFact(transcript: LockedTranscript, finished: FinishedTranscript): Final {
  const { speech_ms, transcribed_ms } = finished.coverage as Pick<Final, 'speech_ms' | 'transcribed_ms'>;
  return {
    tenant_id: transcript.tenant_id,
    transcript_id: transcript.id,
    revision: finished.revision,
    status: finished.status,
    session_id: transcript.session_id,
    duration_ms: finished.duration_ms,
    speech_ms,
    transcribed_ms,
    error: finished.error_code
      ? { code: finished.error_code, detail: finished.error_detail ?? finished.error_code }
      : null,
  };
}

/** Which open transcripts are settled now, and how they end. */
async function settled(tx: Transaction, open: ReadonlyMap<string, LockedTranscript>) {
  const ids = [...open.keys()];
  const standings = await planStandings(tx, ids);
  const keys = ids.flatMap((transcript_id) => {
    const plan = winningPlan(standings.filter((one) => one.transcript_id === transcript_id));
    return plan === undefined ? [] : [{ transcript_id, plan }];
  });
  const plans = keys.length > 0 ? await loadPlans(tx, keys) : [];
  const failures = await stageFailures(tx, ids);
  const of = (row: { transcript_id: string }) => open.get(row.transcript_id) as LockedTranscript;
  return [
    ...plans.map((plan) => fromPlan(of(plan), plan)),
    ...failures.map((failure) => fromFailure(of(failure), failure)),
  ].filter((finished) => finished !== undefined);
}

/**
 * Writes the final state of every changed transcript that is settled now, and its fact in the outbox. The rows must
 * be locked by this transaction: whoever sees the last piece holds the lock.
 */
export async function finishSettled(
  tx: Transaction,
  changed: readonly LockedTranscript[],
  traceOf: (id: string) => string | undefined,
): Promise<OutboxRow[]> {
  const open = new Map(changed.filter(isOpen).map((transcript) => [transcript.id, transcript]));
  if (open.size === 0) return [];
  const finished = (await settled(tx, open)).filter((one) =>
    saysMore(open.get(one.id) as LockedTranscript, one),
  );
  if (finished.length === 0) return [];
  await finishTranscripts(tx, finished);
  return insertOutbox(
    tx,
    finished.map((one) => ({
      payload: finalFact(open.get(one.id) as LockedTranscript, one),
      traceparent: traceOf(one.id),
    })),
  );
}
