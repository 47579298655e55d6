import { METRICS } from '@earshot/contracts';
import type { Metrics } from '@earshot/service-kit';
import type { Usage } from '../store/sql/usage.ts';

/** Counts what paid calls cost as it is stored: each call once, in one replica. */
export function countBilled(
  metrics: Metrics,
): (rows: readonly Pick<Usage, 'engine' | 'billed_ms'>[]) => void {
  return (rows) => {
    for (const { engine, billed_ms } of rows)
      metrics.add(METRICS.billedSeconds, billed_ms / 1000, { engine });
  };
}
