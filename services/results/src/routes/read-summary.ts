import type { TranscriptSummary } from '@earshot/contracts';
import { noTranscript } from '../actions/check-id.ts';
import type { Database } from '../store/database.ts';
import { findTranscript } from '../store/sql/find-transcripts.ts';
import { toSummary } from './transcript-document.ts';

/** A tenant's transcript after an action on it. */
export async function readSummary(
  database: Database,
  { tenant, id }: { readonly tenant: string; readonly id: string },
): Promise<TranscriptSummary> {
  const row = await database.read((tx) => findTranscript(tx, tenant, id));
  if (!row) throw noTranscript();
  return toSummary(row);
}
