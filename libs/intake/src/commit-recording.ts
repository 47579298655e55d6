import type { Manifest, Tombstone, Warning } from '@earshot/contracts';
import { CodedError } from '@earshot/domain';
import type { EngineDirectory, Publisher } from '@earshot/jobs';
import type { ObjectStorage } from '@earshot/storage';
import { createManifest, readManifest, sameOptions } from './manifest.ts';
import type { BucketCheck } from './recording-address.ts';
import { uploadEvent } from './upload-event.ts';

/** CloudEvents source of recordings that came in over HTTP. */
export const HTTP_SOURCE = 'earshot/http';

/** What the doors need. */
export interface DoorDeps {
  readonly storage: ObjectStorage;
  readonly publisher: Publisher;
  readonly engines: EngineDirectory;
  /** Engine of requests that name none. */
  readonly defaultEngine: string;
  /** From which buckets recordings may be read. */
  readonly buckets: BucketCheck;
  /** Default: the system's clock. */
  readonly now?: () => Date;
}

/** The answer of a door. */
export interface Stored {
  readonly id: string;
  readonly warnings: Warning[];
}

/** Throws `unknown_engine` when the installation does not run `engine`. */
export async function requireEngine(engines: EngineDirectory, engine: string): Promise<void> {
  if (await engines.hasEngine(engine)) return;
  throw new CodedError('unknown_engine', `no engine named ${engine} is installed`);
}

/**
 * Manifest, then upload event. Whoever comes second with the same request publishes the first one's event again, so a
 * repeat after a crash finishes the work. Throws `idempotency_conflict` for another request, `gone` after a deletion.
 */
export async function commitRecording(
  deps: DoorDeps,
  manifest: Manifest,
  traceparent: string | undefined,
): Promise<{ stored: Stored; winner: Manifest }> {
  const winner = await decide(deps.storage, manifest);
  await deps.publisher.publish(uploadEvent(winner, traceparent));
  return { stored: { id: winner.transcript_id, warnings: winner.warnings }, winner };
}

async function decide(storage: ObjectStorage, manifest: Manifest): Promise<Manifest> {
  if (await createManifest(storage, manifest)) return manifest;
  const first = await readManifest(storage, manifest.tenant_id, manifest.transcript_id);
  // Taken, then gone: only a store that loses objects does this; the caller repeats.
  if (!first) throw new CodedError('storage_error', 'the manifest vanished; repeat the request');
  return sameRecording(first, manifest);
}

function sameRecording(first: Manifest | Tombstone, manifest: Manifest): Manifest {
  if (first.kind === 'deleted') throw new CodedError('gone');
  const sameBytes = manifest.sha256 ? first.sha256 === manifest.sha256 : first.uri === manifest.uri;
  if (sameBytes && sameOptions(first.options, manifest.options)) return first;
  const what = sameBytes ? 'options' : 'recording';
  throw new CodedError('idempotency_conflict', `this Idempotency-Key was used with another ${what}`);
}
