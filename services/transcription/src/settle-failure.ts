import { toCodedError } from '@earshot/domain';
import { type Outcome, outcomeOf } from '@earshot/jobs';
import { CallPostponed } from './budget/call-postponed.ts';
import { quotaWaitMs } from './circuit/quota-pause.ts';
import { OperationRunning } from './paid/operation-running.ts';
import { QuotaRefused } from './paid/quota-refused.ts';

/** How long work waits, at least, for a broker, a store or an engine that is away, and for a full store to be emptied. */
const AWAY_PAUSE_MS = 2_000;
const FULL_PAUSE_MS = 5_000;

/** What a failure happened in. */
export interface FailureContext {
  readonly signal: AbortSignal;
  /** Whether the store itself is away; see `StorageWatch`. */
  readonly isStorageAway: (error: unknown) => Promise<boolean>;
}

/**
 * What an error means for a job: an aborted one was interrupted; one that met a dependency that is away, full or out of
 * quota or budget waits without burning an attempt, for up to three times the pause, so that not all come back at once; so
 * does one whose paid operation still runs; everything else is a failed attempt, or given up on at once, by its class.
 */
export async function settleFailure(error: unknown, context: FailureContext): Promise<Outcome> {
  if (context.signal.aborted) return { kind: 'interrupted' };
  if (error instanceof OperationRunning) return later(error.afterMs);
  if (error instanceof CallPostponed) return soonAfter(error.afterMs);
  const quota = quotaWaitMs(error);
  if (quota !== undefined) return soonAfter(error instanceof QuotaRefused ? error.chunkWaitMs(quota) : quota);
  const away = await context.isStorageAway(error);
  const { code } = toCodedError(error);
  if (away || code === 'unavailable') return later(AWAY_PAUSE_MS);
  if (code === 'storage_full') return later(FULL_PAUSE_MS);
  return outcomeOf(error);
}

/** Never before that. */
const soonAfter = (ms: number): Outcome => ({
  kind: 'later',
  after_ms: Math.round(ms * (1 + Math.random() / 4)),
});

const later = (ms: number): Outcome => ({
  kind: 'later',
  after_ms: Math.round(ms * (1 + 2 * Math.random())),
});
