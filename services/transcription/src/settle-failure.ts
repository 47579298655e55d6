import { toCodedError } from '@earshot/domain';
import { type Outcome, outcomeOf } from '@earshot/jobs';

/** How long work waits for a broker, a store or an engine that is down or full. */
const DEPENDENCY_PAUSE_MS = 15_000;

/**
 * What an error means for a job: an aborted one was interrupted; one that met a dependency that is down or full waits
 * without burning an attempt; everything else is a failed attempt, or given up on at once, by its class.
 */
export function settleFailure(error: unknown, signal: AbortSignal): Outcome {
  if (signal.aborted) return { kind: 'interrupted' };
  const { code } = toCodedError(error);
  if (code === 'unavailable' || code === 'storage_full') {
    return { kind: 'later', after_ms: Math.round(DEPENDENCY_PAUSE_MS * (1 + Math.random())) };
  }
  return outcomeOf(error);
}
