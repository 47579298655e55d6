import type { PlanStanding } from '../store/sql/splits.ts';
import type { LockedTranscript } from '../store/sql/transcripts.ts';

/** States that no fact leads back from. */
const CLOSED = new Set(['completed', 'canceled', 'deleted']);

/** True while a fact may still change the state. */
export const isOpen = (transcript: Pick<LockedTranscript, 'status'>) => !CLOSED.has(transcript.status);

/** Every n < count has a result or was given up on. */
const isSettled = (plan: PlanStanding) => plan.done + plan.given_up === plan.count;
const isComplete = (plan: PlanStanding) => plan.done === plan.count && !plan.truncated;

/**
 * The plan that makes the transcript: the lowest that is complete, else the highest that is settled, else none.
 * A transcript completed by another plan before is not asked again, so the first one complete wins.
 */
export function winningPlan(plans: readonly PlanStanding[]): number | undefined {
  const ordered = [...plans].sort((a, b) => a.plan - b.plan);
  return (ordered.find(isComplete) ?? ordered.findLast(isSettled))?.plan;
}
