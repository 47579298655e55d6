import { STREAMS } from '@earshot/contracts';
import type { Broker } from '../connection/broker.ts';
import { findStream } from '../topology/lookup.ts';
import { accountStore } from './account.ts';

/** How full one budget is; bytes. */
export interface BudgetUsage {
  /** `account` or a stream's name. */
  readonly name: string;
  readonly bytes: number;
  readonly limit: number;
}

/** All budgets, and the highest ratio of any of them (0 to about 1). */
export interface StoreUsage {
  readonly ratio: number;
  readonly budgets: readonly BudgetUsage[];
}

const FRESH_MS = 1_000;
const cache = new WeakMap<Broker, { readonly until: number; readonly usage: Promise<StoreUsage> }>();

/**
 * How full the broker's budgets are, a stream's where it refuses what is too much; each answer is kept for 1 s.
 * `storeBytes` stands in for an account without a limit. Throws `unavailable` when the broker does not answer.
 */
export function storeUsage(broker: Broker, storeBytes?: number): Promise<StoreUsage> {
  const now = performance.now();
  const known = cache.get(broker);
  if (known && known.until > now) return known.usage;
  const usage = readUsage(broker, storeBytes);
  cache.set(broker, { until: now + FRESH_MS, usage });
  usage.catch(() => cache.delete(broker));
  return usage;
}

async function readUsage(broker: Broker, storeBytes: number | undefined): Promise<StoreUsage> {
  const [account, ...streams] = await Promise.all([
    accountStore(broker),
    ...Object.values(STREAMS).map((name) => findStream(broker.api, name)),
  ]);
  const budgets: BudgetUsage[] = streams.flatMap((stream) =>
    stream && stream.config.discard === 'new' && stream.config.max_bytes > 0
      ? [{ name: stream.config.name, bytes: stream.state.bytes, limit: stream.config.max_bytes }]
      : [],
  );
  const limit = account.limit ?? storeBytes;
  if (limit) budgets.unshift({ name: 'account', bytes: account.bytes, limit });
  return { budgets, ratio: Math.max(0, ...budgets.map(({ bytes, limit: most }) => bytes / most)) };
}
