import { randomUUID } from 'node:crypto';
import type { Readable } from 'node:stream';
import { type Manifest, readRecordingOptions } from '@earshot/contracts';
import { type ObjectStorage, storageKeys } from '@earshot/storage';
import {
  commitRecording,
  type DoorDeps,
  HTTP_SOURCE,
  requireEngine,
  type Stored,
} from './commit-recording.ts';
import { newManifest, readManifest } from './manifest.ts';
import { type Sniff, type StoredBytes, storeBytes } from './store-bytes.ts';
import { transcriptId } from './transcript-id.ts';

/** A recording whose bytes come with the request. */
export interface RecordingUpload {
  readonly tenant: string;
  /** The caller's Idempotency-Key; without one every request is a new recording. */
  readonly key: string | undefined;
  readonly body: Readable;
  /** The options by their names in the upload event. Called once the bytes are durable: fields may follow the file. */
  readonly options: () => Promise<Record<string, unknown>>;
  readonly maxBytes: number;
  readonly sniff: Sniff;
  readonly traceparent?: string | undefined;
}

/**
 * Bytes durable → manifest → upload event → its PubAck. Resolves only then; a repeat with the same key and content
 * gives the same answer. Whatever fails before the manifest leaves nothing in storage; after it, the bytes stay and a
 * repeat finishes the work. Throws coded errors only of the request or of a dependency.
 */
export async function storeRecording(upload: RecordingUpload, deps: DoorDeps): Promise<Stored> {
  const { tenant } = upload;
  const identity = { tenant, source: HTTP_SOURCE, event_id: upload.key ?? randomUUID() };
  const id = transcriptId(tenant, identity.source, identity.event_id);
  const key = storageKeys(tenant, id).bytes(randomUUID());
  const bytes = await storeBytes(deps.storage, key, upload.body, upload);
  try {
    const manifest = await manifestOf(upload, deps, identity, bytes);
    const { stored, winner } = await commitRecording(deps, manifest, upload.traceparent);
    if (winner.uri !== key) await deps.storage.delete(key).catch(() => undefined);
    return stored;
  } catch (error) {
    await deleteUnlessOwned(deps.storage, tenant, id, key);
    throw error;
  }
}

async function manifestOf(
  upload: RecordingUpload,
  deps: DoorDeps,
  identity: { tenant: string; source: string; event_id: string },
  { key, ...bytes }: StoredBytes,
): Promise<Manifest> {
  const given = await upload.options();
  const recording = { ...readRecordingOptions(given, 'invalid_request'), uri: key };
  const manifest = newManifest({
    ...identity,
    recording,
    given,
    bytes,
    defaultEngine: deps.defaultEngine,
    now: deps.now?.() ?? new Date(),
  });
  await requireEngine(deps.engines, manifest.engine);
  return manifest;
}

/** A manifest may have been written although its writer saw an error: bytes that it names, or might name, stay. */
async function deleteUnlessOwned(storage: ObjectStorage, tenant: string, id: string, key: string) {
  try {
    const manifest = await readManifest(storage, tenant, id);
    if (manifest?.kind !== 'recording' || manifest.uri !== key) await storage.delete(key);
  } catch {
    // Better an orphan than a lost recording.
  }
}
