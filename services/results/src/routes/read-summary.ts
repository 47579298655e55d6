import type { TranscriptSummary } from '@earshot/contracts';
import { noTranscript } from '../actions/check-id.ts';
import type { Database } from '../store/database.ts';
import { findTranscript } from '../store/sql/find-transcripts.ts';
import type { ReadWaits } from '../waits/watch-waits.ts';
import { toSummary } from './transcript-document.ts';

export interface SummaryDeps {
  readonly database: Database;
  readonly waits: ReadWaits;
}

/** A tenant's transcript after an action on it. */
export async function readSummary(
  { database, waits }: SummaryDeps,
  { tenant, id }: { readonly tenant: string; readonly id: string },
): Promise<TranscriptSummary> {
  const waiting = await waits(tenant);
  const row = await database.read((tx) => findTranscript(tx, tenant, id, waiting));
  if (!row) throw noTranscript();
  return toSummary(row);
}
