import type { ScalingAdvice } from '@earshot/contracts';
import type { ScalingDecision } from './decide-scaling.ts';

type Change = Pick<ScalingDecision, 'workers' | 'workers_wanted' | 'concurrency'>;

/** What was advised last, and since when. */
export interface StandingAdvice extends Change {
  readonly changedAt: number;
}

const changeOf = ({ workers, workers_wanted, concurrency }: Change): Change => ({
  ...{ workers, workers_wanted, concurrency },
});

const sameChange = (one: Change, other: Change) =>
  one.workers === other.workers &&
  one.concurrency === other.concurrency &&
  one.workers_wanted === other.workers_wanted;

/**
 * Lets the advice change at most once in `steadyMs`, so that a queue that swings round a threshold moves nothing back and
 * forth. Reasons and `investigate` are always those of now. Pure; times are milliseconds.
 */
export function steadyAdvice(
  standing: StandingAdvice | undefined,
  decision: ScalingDecision,
  now: number,
  steadyMs: number,
): { readonly advice: ScalingAdvice; readonly standing: StandingAdvice } {
  const held = standing !== undefined && now - standing.changedAt < steadyMs;
  const keeps = standing !== undefined && (held || sameChange(standing, decision));
  const next = keeps ? standing : { ...changeOf(decision), changedAt: now };
  const steadyUntil = next.changedAt + steadyMs;
  const waits = keeps && !sameChange(standing, decision);
  const reasons = waits
    ? [...decision.reasons, 'the advice changed a short while ago and stays until steady_until']
    : decision.reasons;
  return {
    standing: next,
    advice: {
      ...decision,
      ...changeOf(next),
      reasons: [...reasons],
      changed_at: new Date(next.changedAt).toISOString(),
      steady_until: new Date(steadyUntil).toISOString(),
    },
  };
}
