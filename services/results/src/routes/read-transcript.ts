import type { Transcript } from '@earshot/contracts';
import { CodedError } from '@earshot/domain';
import { checkId, noTranscript } from '../actions/check-id.ts';
import { type AcceptedSources, findAccepted } from '../actions/find-accepted.ts';
import type { Database } from '../store/database.ts';
import { loadPlans } from '../store/sql/chunks.ts';
import { findTranscript } from '../store/sql/find-transcripts.ts';
import { queuedDocument, toDocument } from './transcript-document.ts';

export interface TranscriptReaderDeps extends AcceptedSources {
  readonly database: Database;
}

/** A transcript with what only the server needs to know of it. */
export interface FoundTranscript {
  readonly document: Transcript;
  /** Changes whenever the document does. */
  readonly etag: string;
  /** Storage key of the recording, when it is known. */
  readonly key: string | null;
}

async function fromDatabase(
  { database }: TranscriptReaderDeps,
  tenant: string,
  id: string,
): Promise<FoundTranscript | undefined> {
  return database.read(async (tx) => {
    const row = await findTranscript(tx, tenant, id);
    if (!row) return undefined;
    if (row.status === 'deleted') throw new CodedError('gone');
    const plans = row.plan === null ? [] : await loadPlans(tx, [{ transcript_id: id, plan: row.plan }]);
    return { document: toDocument(row, plans[0]), etag: `${row.revision}-${row.version}`, key: row.key };
  });
}

/** A recording whose upload was answered but whose first fact did not get here yet. */
async function notStoredYet(
  deps: TranscriptReaderDeps,
  tenant: string,
  id: string,
): Promise<FoundTranscript | undefined> {
  const source = await findAccepted(deps, tenant, id);
  return source && { document: queuedDocument(source), etag: '0-0', key: source.key };
}

/**
 * Finds a tenant's transcript in the database, else among what was accepted but not stored yet. Throws `not_found`
 * (other tenants' transcripts too), `gone` for a deleted one, `unavailable` while it cannot be told.
 */
export async function readTranscript(
  deps: TranscriptReaderDeps,
  tenant: string,
  id: string,
): Promise<FoundTranscript> {
  const found = (await fromDatabase(deps, tenant, checkId(id))) ?? (await notStoredYet(deps, tenant, id));
  if (!found) throw noTranscript();
  return found;
}
