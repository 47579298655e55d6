import type { UsageDifference } from '@earshot/contracts';
import { type ObjectStorage, storageKeys } from '@earshot/storage';
import type { Database } from '../store/database.ts';
import { endedTranscripts, raiseUsage, type Usage, type UsageFilter, usageOf } from '../store/sql/usage.ts';
import { agrees, compareUsage } from './compare-usage.ts';
import { type LedgerCost, readLedger } from './read-ledger.ts';

export interface UsageCheckDeps {
  readonly database: Database;
  readonly storage: ObjectStorage;
}

/** Which transcripts to look at, and whether what the ledger knows alone is to be taken over. */
export interface UsageCheckWish extends UsageFilter {
  readonly after: string | undefined;
  readonly limit: number;
  readonly record: boolean;
}

/** What one page of transcripts gave. */
export interface CheckedUsage {
  readonly ids: readonly string[];
  readonly differences: readonly UsageDifference[];
  readonly recorded: number;
}

/** The ledger does not keep which model it was. */
const UNKNOWN_MODEL = 'unknown';

/** Compares usage with the ledger, transcript by transcript; those that are not ended are left out, they still change. */
export async function checkUsage(deps: UsageCheckDeps, wish: UsageCheckWish): Promise<CheckedUsage> {
  const { database, storage } = deps;
  const { transcripts, usage } = await database.read(async (tx) => {
    const page = await endedTranscripts(tx, wish);
    return {
      transcripts: page,
      usage: await usageOf(
        tx,
        page.map(({ id }) => id),
      ),
    };
  });
  const differences: UsageDifference[] = [];
  const missing: Usage[] = [];
  for (const transcript of transcripts) {
    const ledger = await readLedger(storage, transcript.tenant_id, transcript.id);
    const own = usage.filter((row) => row.transcript_id === transcript.id);
    const found = compareUsage(transcript, own, ledger);
    differences.push(...found);
    for (const one of wish.record ? found : []) missing.push(...(await rowOf(storage, one, ledger)));
  }
  const recorded = missing.length > 0 ? await database.write((tx) => raiseUsage(tx, missing)) : 0;
  return { ids: transcripts.map(({ id }) => id), differences, recorded };
}

/** The row that usage lacks, or has with a lower price: a call that was paid for and not used. */
async function rowOf(
  storage: ObjectStorage,
  difference: UsageDifference,
  ledger: readonly LedgerCost[],
): Promise<Usage[]> {
  const { tenant_id, transcript_id, plan, n, engine, usage_ms, ledger_ms } = difference;
  const cost = ledger.find((one) => one.plan === plan && one.n === n && one.engine === engine);
  if (!cost || agrees(difference) || (ledger_ms ?? 0) < (usage_ms ?? 0)) return [];
  const place = { transcript_id, plan, n, engine, tenant_id, model: UNKNOWN_MODEL };
  const audio_ms = await lengthOf(storage, storageKeys(tenant_id, transcript_id).cut(plan, n));
  return [{ ...place, audio_ms, billed_ms: cost.billed_ms, billed_at: cost.ended_at }];
}

async function lengthOf(storage: ObjectStorage, cutKey: string): Promise<number> {
  const bytes = await storage.read(cutKey);
  const cut = bytes && (JSON.parse(bytes.toString()) as { start_ms: number; end_ms: number });
  return cut ? cut.end_ms - cut.start_ms : 0;
}
