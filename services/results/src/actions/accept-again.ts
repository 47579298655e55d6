import type { Accepted } from '@earshot/contracts';
import { CodedError, toCodedError } from '@earshot/domain';
import { acceptedData, decideManifest, type ManifestDeps, readUpload, transcriptId } from '@earshot/intake';
import type { Unaccepted } from '../store/sql/recordings.ts';
import { findAccepted } from './find-accepted.ts';

/** An upload event as ingest keeps it with its dead letter. */
interface KeptEvent {
  readonly subject?: unknown;
  readonly headers?: Record<string, string>;
  readonly event?: unknown;
  readonly payload_base64?: string;
  readonly truncated?: boolean;
}

function readKept({ subject, headers = {}, event, payload_base64, truncated }: KeptEvent) {
  if (truncated) throw new CodedError('conflict', 'the upload event was too large to be kept');
  const bytes = event === undefined ? Buffer.from(payload_base64 ?? '', 'base64') : JSON.stringify(event);
  return readUpload({ subject: String(subject), headers, bytes: Buffer.from(bytes) });
}

/** Decides anew whether an upload event can be accepted; throws `conflict` with the reason when it cannot. */
async function acceptKept(deps: ManifestDeps, transcript: Unaccepted): Promise<Accepted> {
  const read = readKept((transcript.upload ?? {}) as KeptEvent);
  const refuse = (reason: string) => new CodedError('conflict', `it would be given up on again: ${reason}`);
  if (read.kind === 'unreadable') throw refuse(read.error.message);
  const { tenant, source, event_id } = read.upload;
  if (transcriptId(tenant, source, event_id) !== transcript.transcript_id) {
    throw new CodedError('conflict', 'the kept upload event belongs to another transcript');
  }
  const decided = await decideManifest(read.upload, deps).catch((error: unknown) => {
    const coded = toCodedError(error);
    throw coded.class === 'permanent' || coded.class === 'caller' ? refuse(coded.message) : error;
  });
  if (decided === 'deleted') throw new CodedError('gone');
  if (decided === 'other_data') throw refuse('the event id was used with other data');
  return acceptedData(decided.manifest);
}

/**
 * What was accepted of a transcript whose row does not tell it: by its manifest, its fact, or the upload event that was
 * given up on. May make the manifest, and nothing else. Throws `conflict` or `gone` when there is nothing to go on with.
 */
export async function acceptAgain(deps: ManifestDeps, transcript: Unaccepted): Promise<Accepted> {
  const { tenant_id, transcript_id, upload } = transcript;
  const known = await findAccepted(deps, tenant_id, transcript_id);
  if (known) return known;
  if (upload !== null) return acceptKept(deps, transcript);
  throw new CodedError('conflict', 'nothing is known of the recording: submit it again');
}
