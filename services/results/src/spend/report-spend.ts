import { type Budget, METRICS, type Spend, spentMs } from '@earshot/contracts';
import { type Broker, readSpend } from '@earshot/messaging';
import type { Metrics } from '@earshot/service-kit';

/** Tells at every scrape how much of the budgets is used. */
export function reportSpend(metrics: Metrics, broker: Broker, budgets: ReadonlyMap<string, Budget>): void {
  metrics.observe([METRICS.budgetUsed], async (observe) => {
    for (const [engine, budget] of budgets) {
      const { spend } = await readSpend(broker, engine);
      if (spend) observe(METRICS.budgetUsed, usedRatio(spend, budget), { engine });
    }
  });
}

/** Of the fullest budget; at least 1 while somebody's calls are refused, also where a little is left. */
export function usedRatio(spend: Spend, { total, tenants }: Budget): number {
  const limits = [...tenants].map(([tenant, limit]) => ratio(spentMs(spend, tenant), limit));
  const all = total === undefined ? 0 : ratio(spentMs(spend), total);
  return Math.max(spend.refused.length > 0 ? 1 : 0, all, ...limits);
}

const ratio = (ms: number, limit: number) => (limit === 0 ? Math.sign(ms) : ms / limit);
