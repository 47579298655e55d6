import { CodedError } from '@earshot/domain';
import type { Transaction } from '../store/database.ts';
import { loadRecordings, unfinishedPlan } from '../store/sql/recordings.ts';
import type { Replay } from '../store/sql/replays.ts';
import { type LockedTranscript, storeAccepted } from '../store/sql/transcripts.ts';
import { checkId } from './check-id.ts';
import { chunkAgain, type PieceOfWork, splitAgain } from './jobs-again.ts';
import { type Preparation, prepareRound, type RoundDeps } from './prepare-round.ts';
import { sendRound } from './send-round.ts';
import { withTranscript } from './with-transcript.ts';

const RUNNING = new Set(['queued', 'processing']);
const RETRIED = new Set(['failed', 'partial']);
const FIRST_PLAN = 1;

const conflict = (detail: string) => new CodedError('conflict', detail);

/** Only what is missing: the chunks without a result, or the whole cutting. */
async function missingWork(tx: Transaction, id: string): Promise<PieceOfWork[]> {
  const [recording] = await loadRecordings(tx, [id]);
  if (!recording) throw conflict('nothing is known of the recording: submit it again');
  const unfinished = await unfinishedPlan(tx, id);
  if (!unfinished) return [splitAgain(recording, FIRST_PLAN)];
  const { plan, missing } = unfinished;
  if (missing.length === 0) {
    throw conflict('every chunk has its result; what is missing could not be decoded from the recording');
  }
  return missing.map((chunk) => chunkAgain(recording, plan, chunk));
}

async function retry(
  tx: Transaction,
  { id, status }: LockedTranscript,
  { accepted, refusals }: Preparation,
  traceparent: string | undefined,
): Promise<readonly Replay[]> {
  if (RUNNING.has(status)) return [];
  if (!RETRIED.has(status)) throw conflict(`the transcript is ${status}: there is nothing to retry`);
  const refusal = refusals.get(id);
  if (refusal) throw refusal;
  if (accepted.length > 0) await storeAccepted(tx, accepted);
  const { replays } = await sendRound(tx, await missingWork(tx, id), traceparent);
  return replays;
}

/**
 * Sends the missing work of a failed or partial transcript round again, under its next generation. Returns the jobs to
 * relay, none while it is being processed; throws `conflict` where nothing can be done.
 */
export async function retryTranscript(
  deps: RoundDeps,
  address: { readonly tenant: string; readonly id: string },
  traceparent: string | undefined,
): Promise<readonly Replay[]> {
  const prepared = await prepareRound(deps, [checkId(address.id)], address.tenant);
  return withTranscript(deps, address, (tx, transcript) => retry(tx, transcript, prepared, traceparent));
}
