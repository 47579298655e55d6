import type { WorkerState } from '@earshot/contracts';

/** Until when an engine refuses, by the worker that has to wait longest; undefined when none waits at `now`. */
export function refusedUntil(
  states: readonly WorkerState[],
  engine: string,
  now: number,
): number | undefined {
  const ends = states
    .flatMap((state) => state.engines)
    .filter(({ name, quota_until }) => name === engine && quota_until !== null)
    .map(({ quota_until }) => Date.parse(quota_until ?? ''))
    .filter((end) => end > now);
  return ends.length === 0 ? undefined : Math.max(...ends);
}
