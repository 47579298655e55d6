import {
  accepted,
  factSubjects,
  parseManifest,
  type Transcript,
  TranscriptIdSchema,
} from '@earshot/contracts';
import { CodedError } from '@earshot/domain';
import type { FactReader } from '@earshot/jobs';
import type { ObjectStorage } from '@earshot/storage';
import { storageKeys } from '@earshot/storage';
import { Compile } from 'typebox/schema';
import type { Database } from '../store/database.ts';
import { loadPlans } from '../store/sql/chunks.ts';
import { findTranscript } from '../store/sql/find-transcripts.ts';
import { queuedDocument, toDocument } from './transcript-document.ts';

export interface TranscriptReaderDeps {
  readonly database: Database;
  readonly storage: ObjectStorage;
  readonly facts: FactReader;
}

/** A transcript with what only the server needs to know of it. */
export interface FoundTranscript {
  readonly document: Transcript;
  /** Changes whenever the document does. */
  readonly etag: string;
  /** Storage key of the recording, when it is known. */
  readonly key: string | null;
}

const isId = Compile(TranscriptIdSchema);

function checkId(id: string): string {
  if (!isId.Check(id)) throw new CodedError('not_found', 'there is no transcript with this id');
  return id;
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

async function fromBroker({ facts }: TranscriptReaderDeps, tenant: string, id: string) {
  const fact = await facts.last(factSubjects(tenant, id).accepted);
  return fact && accepted.read(fact.event);
}

async function fromManifest({ storage }: TranscriptReaderDeps, tenant: string, id: string) {
  const bytes = await storage.read(storageKeys(tenant, id).manifest);
  const manifest = bytes && parseManifest(bytes.toString('utf8'));
  if (manifest?.kind === 'deleted') throw new CodedError('gone');
  return manifest;
}

/** A recording whose upload was answered but whose first fact did not get here yet. */
async function notStoredYet(
  deps: TranscriptReaderDeps,
  tenant: string,
  id: string,
): Promise<FoundTranscript | undefined> {
  const manifest = await fromManifest(deps, tenant, id);
  const source = manifest ?? (await fromBroker(deps, tenant, id));
  if (!source) return undefined;
  const key = 'key' in source ? source.key : source.uri;
  return { document: queuedDocument(source), etag: '0-0', key };
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
  if (!found) throw new CodedError('not_found', 'there is no transcript with this id');
  return found;
}
