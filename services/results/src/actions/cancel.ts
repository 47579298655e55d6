import type { Final } from '@earshot/contracts';
import { CodedError } from '@earshot/domain';

import type { Transaction } from '../store/database.ts';
import { insertOutbox, type OutboxRow } from '../store/sql/outbox.ts';
import { type LockedTranscript, markCanceled } from '../store/sql/transcripts.ts';
import { type ActionDeps, withTranscript } from './with-transcript.ts';

const UNFINISHED = new Set(['queued', 'processing']);

function canceledFact({ id, tenant_id, session_id, revision }: LockedTranscript): Final {
  return {
    tenant_id,
    transcript_id: id,
    revision: revision + 1,
    status: 'canceled',
    session_id,
    duration_ms: null,
    speech_ms: 0,
    transcribed_ms: 0,
    error: null,
  };
}

async function cancel(
  tx: Transaction,
  transcript: LockedTranscript,
  traceparent: string | undefined,
): Promise<OutboxRow[]> {
  if (transcript.status === 'canceled') return [];
  if (!UNFINISHED.has(transcript.status)) {
    throw new CodedError('conflict', `the transcript is ${transcript.status}: there is nothing to cancel`);
  }
  await markCanceled(tx, transcript.id);
  return insertOutbox(tx, [
    { payload: canceledFact(transcript), traceparent: transcript.traceparent ?? traceparent },
  ]);
}

/**
 * Makes a transcript canceled, for good: its workers stop at their next beat, and later facts change nothing. Returns
 * the final fact to relay, none when it was canceled before; throws `conflict` for one that is final otherwise.
 */
export const cancelTranscript = (
  deps: ActionDeps,
  address: { readonly tenant: string; readonly id: string },
  traceparent: string | undefined,
): Promise<OutboxRow[]> =>
  withTranscript(deps, address, (tx, transcript) => cancel(tx, transcript, traceparent));
