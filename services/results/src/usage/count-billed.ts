import { METRICS } from '@earshot/contracts';
import type { Metrics } from '@earshot/service-kit';
import type { Usage } from '../store/sql/usage.ts';

/** Counts what paid calls cost as it is stored: each call once, in one replica. `engines` are told as 0 before any. */
export function countBilled(
  metrics: Metrics,
  engines: readonly string[],
): (rows: readonly Pick<Usage, 'engine' | 'billed_ms'>[]) => void {
  for (const engine of engines) metrics.start(METRICS.billedSeconds, { engine });
  return (rows) => {
    for (const { engine, billed_ms } of rows)
      metrics.add(METRICS.billedSeconds, billed_ms / 1000, { engine });
  };
}
