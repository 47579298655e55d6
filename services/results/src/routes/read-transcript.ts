import { CodedError, type Spoken } from '@earshot/domain';
import { checkId, noTranscript } from '../actions/check-id.ts';
import { type AcceptedSources, findAccepted } from '../actions/find-accepted.ts';
import type { Database } from '../store/database.ts';
import { loadPlans } from '../store/sql/chunks.ts';
import { findTranscript } from '../store/sql/find-transcripts.ts';
import type { ReadWaits } from '../waits/watch-waits.ts';
import { SegmentReader } from './read-segments.ts';
import type { TraceUrl } from './trace-url.ts';
import { queuedDocument, type TranscriptHead, toDocument } from './transcript-document.ts';

export interface TranscriptReaderDeps extends AcceptedSources {
  readonly database: Database;
  readonly traceUrl: TraceUrl;
  readonly waits: ReadWaits;
}

/** A transcript with what only the server needs to know of it. */
export interface FoundTranscript {
  readonly head: TranscriptHead;
  /** What was said, in order. */
  readonly spoken: readonly Spoken[];
  /** The same with its words. */
  readonly segments: SegmentReader;
  /** Changes whenever the document does. */
  readonly etag: string;
  /** Storage key of the recording, when it is known. */
  readonly key: string | null;
}

async function fromDatabase(
  { database, traceUrl, waits }: TranscriptReaderDeps,
  tenant: string,
  id: string,
): Promise<FoundTranscript | undefined> {
  const waiting = await waits(tenant);
  return database.read(async (tx) => {
    const row = await findTranscript(tx, tenant, id, waiting);
    if (!row) return undefined;
    if (row.status === 'deleted') throw new CodedError('gone');
    const plan = { transcript_id: id, plan: row.plan ?? 0 };
    const [results] = row.plan === null ? [] : await loadPlans(tx, [plan]);
    const numbers = results?.chunks.map(({ n }) => n) ?? [];
    const segments = new SegmentReader(database, plan, numbers);
    const document = toDocument(row, results, traceUrl);
    const etag = [row.revision, row.version, row.waiting_until?.getTime()].filter(
      (part) => part !== undefined,
    );
    return { ...document, segments, etag: etag.join('-'), key: row.key };
  });
}

/** A recording whose upload was answered but whose first fact did not get here yet. */
async function notStoredYet(
  deps: TranscriptReaderDeps,
  tenant: string,
  id: string,
): Promise<FoundTranscript | undefined> {
  const source = await findAccepted(deps, tenant, id);
  if (!source) return undefined;
  const segments = new SegmentReader(deps.database, { transcript_id: id, plan: 0 }, []);
  return { head: queuedDocument(source), spoken: [], segments, etag: '0-0', key: source.key };
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
