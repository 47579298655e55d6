import {
  type Manifest,
  parseManifest,
  RECORDING_OPTION_NAMES,
  type RecordingOptions,
  type RecordingUploaded,
  type Tombstone,
} from '@earshot/contracts';
import { type ObjectStorage, storageKeys } from '@earshot/storage';
import { canonicalJson } from './canonical-json.ts';
import { transcriptId } from './transcript-id.ts';
import { warningsFor } from './warnings.ts';

/** Who asks for a transcript: tenant, and the upload event's CloudEvents source and id. */
export interface UploadIdentity {
  readonly tenant: string;
  readonly source: string;
  readonly event_id: string;
}

/** What a new manifest is made of; `given` is the request with all its names, for the warnings. */
export interface ManifestParts extends UploadIdentity {
  readonly recording: RecordingUploaded;
  readonly given: Record<string, unknown>;
  readonly bytes?: { readonly size_bytes: number; readonly sha256: string };
  readonly defaultEngine: string;
  readonly now: Date;
}

/** A manifest that is not stored yet. */
export function newManifest(parts: ManifestParts): Manifest {
  const { uri, ...options } = parts.recording;
  return {
    kind: 'recording',
    tenant_id: parts.tenant,
    transcript_id: transcriptId(parts.tenant, parts.source, parts.event_id),
    source: parts.source,
    event_id: parts.event_id,
    uri,
    ...parts.bytes,
    engine: options.engine ?? parts.defaultEngine,
    lane: options.priority ?? 'normal',
    channels: options.channels ?? 'auto',
    options,
    warnings: warningsFor(parts.given),
    created_at: parts.now.toISOString(),
  };
}

const keyOf = (tenant: string, id: string) => storageKeys(tenant, id).manifest;

/** Stores a manifest unless there is one, or a tombstone; `false` then. Atomic against all other writers. */
export function createManifest(storage: ObjectStorage, manifest: Manifest): Promise<boolean> {
  const key = keyOf(manifest.tenant_id, manifest.transcript_id);
  return storage.create(key, Buffer.from(JSON.stringify(manifest)));
}

/** The manifest of a transcript, its tombstone, or undefined; throws `unreadable_message` when it is neither. */
export async function readManifest(
  storage: ObjectStorage,
  tenant: string,
  id: string,
): Promise<Manifest | Tombstone | undefined> {
  const bytes = await storage.read(keyOf(tenant, id));
  return bytes && parseManifest(bytes.toString('utf8'));
}

/** Puts a tombstone in a manifest's place: the first step of a deletion. Idempotent. */
export async function writeTombstone(
  storage: ObjectStorage,
  tenant: string,
  id: string,
  deletedAt: Date,
): Promise<void> {
  const tombstone: Tombstone = {
    kind: 'deleted',
    tenant_id: tenant,
    transcript_id: id,
    deleted_at: deletedAt.toISOString(),
  };
  await storage.put(keyOf(tenant, id), Buffer.from(JSON.stringify(tombstone)));
}

/** True when both ask for the same; names we do not know are left out, values need not be valid. */
export function sameOptions(a: RecordingOptions, b: Record<string, unknown>): boolean {
  return canonicalJson(knownOptions(a)) === canonicalJson(knownOptions(b));
}

const knownOptions = (given: Record<string, unknown>) =>
  Object.fromEntries(RECORDING_OPTION_NAMES.map((name) => [name, given[name]]));
