import { METRICS } from '@earshot/contracts';
import type { Metrics } from '@earshot/service-kit';
import type { GuardedEngine } from './circuit/guarded-engine.ts';
import type { PaidCallCounts } from './paid/paid-call-counts.ts';

/** Tells at every scrape which engines are down, and what happened to paid calls. */
export function reportEngines(
  metrics: Metrics,
  engines: readonly GuardedEngine[],
  paidCalls: Readonly<PaidCallCounts>,
): void {
  metrics.observe([METRICS.circuitOpen], (observe) => {
    for (const { info, circuit } of engines) {
      observe(METRICS.circuitOpen, circuit === 'closed' ? 0 : 1, { engine: info.name });
    }
  });
  metrics.observe([METRICS.paidCalls], (observe) => {
    for (const [event, count] of Object.entries(paidCalls)) observe(METRICS.paidCalls, count, { event });
  });
}
