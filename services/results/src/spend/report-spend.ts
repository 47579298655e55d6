import { type Budget, METRICS, type Spend, spentMs } from '@earshot/contracts';
import { type Broker, readSpend } from '@earshot/messaging';
import type { Logger, Metrics } from '@earshot/service-kit';
import { keepLive } from '../keep-latest.ts';

export interface ReportSpendOptions {
  readonly metrics: Metrics;
  readonly broker: Broker;
  readonly budgets: ReadonlyMap<string, Budget>;
  readonly log: Logger;
}

/** Tells at every scrape how much of the budgets is used, until it is stopped. */
export function reportSpend(options: ReportSpendOptions): { stop(): Promise<void> } {
  const { metrics, broker, budgets, log } = options;
  const kept = [...budgets].map(([engine, budget]) => {
    const read = async () => (await readSpend(broker, engine)).spend;
    return { engine, budget, spend: keepLive({ what: 'what was spent', read, log }) };
  });
  metrics.observe([METRICS.budgetUsed], async (observe) => {
    for (const { engine, budget, spend } of kept) {
      const known = await spend.latest();
      if (known) observe(METRICS.budgetUsed, usedRatio(known, budget), { engine });
    }
  });
  return { stop: async () => void (await Promise.all(kept.map(({ spend }) => spend.stop()))) };
}

/** Of the fullest budget; at least 1 while somebody's calls are refused, also where a little is left. */
export function usedRatio(spend: Spend, { total, tenants }: Budget): number {
  const limits = [...tenants].map(([tenant, limit]) => ratio(spentMs(spend, tenant), limit));
  const all = total === undefined ? 0 : ratio(spentMs(spend), total);
  return Math.max(spend.refused.length > 0 ? 1 : 0, all, ...limits);
}

const ratio = (ms: number, limit: number) => (limit === 0 ? Math.sign(ms) : ms / limit);
