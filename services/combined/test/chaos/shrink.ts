import { failed } from './report.ts';
import type { ChaosReport } from './run-chaos.ts';
import { halves, type Step } from './schedule.ts';

/**
 * A shorter schedule that still fails: halves are tried again and again, and whichever fails is gone on with. Ends when
 * neither half fails, so the faults that are left need each other.
 */
export async function shrink(
  schedule: readonly Step[],
  attempt: (schedule: readonly Step[]) => Promise<ChaosReport>,
): Promise<readonly Step[]> {
  if (schedule.length <= 1) return schedule;
  for (const half of halves(schedule)) {
    if (failed(await attempt(half))) return shrink(half, attempt);
  }
  return schedule;
}
