import type { UsageDifference } from '@earshot/contracts';
import type { Usage } from '../store/sql/usage.ts';
import type { LedgerCost } from './read-ledger.ts';

type Known = Pick<Usage, 'plan' | 'n' | 'engine' | 'billed_ms'>;

const chunkOf = ({ plan, n, engine }: Pick<Usage, 'plan' | 'n' | 'engine'>) => `${plan}-${n}-${engine}`;

/** Where usage and ledger of a transcript do not say the same, or calls have no known end; in order of the chunks. Pure. */
export function compareUsage(
  transcript: { readonly id: string; readonly tenant_id: string },
  usage: readonly Known[],
  ledger: readonly LedgerCost[],
): UsageDifference[] {
  const stored = new Map(usage.map((row) => [chunkOf(row), row]));
  const written = new Map(ledger.map((cost) => [chunkOf(cost), cost]));
  const chunks = new Map(
    [...stored, ...written].map(([chunk, { plan, n, engine }]) => [chunk, { plan, n, engine }]),
  );
  return [...chunks]
    .map(([chunk, place]) => ({
      ...{ tenant_id: transcript.tenant_id, transcript_id: transcript.id, ...place },
      usage_ms: stored.get(chunk)?.billed_ms ?? null,
      ledger_ms: written.get(chunk)?.billed_ms ?? null,
      open_calls: written.get(chunk)?.open_calls ?? 0,
    }))
    .filter((one) => !agrees(one) || one.open_calls > 0)
    .sort((one, other) => one.plan - other.plan || one.n - other.n);
}

/** What costs nothing need not be known. */
export const agrees = ({ usage_ms, ledger_ms }: Pick<UsageDifference, 'usage_ms' | 'ledger_ms'>) =>
  (usage_ms ?? 0) === (ledger_ms ?? 0);
