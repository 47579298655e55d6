import {
  type Accepted,
  accepted,
  factSubjects,
  type Manifest,
  type MessageContext,
  readRecordingUploaded,
  splitJob,
  type Tombstone,
} from '@earshot/contracts';
import { CodedError } from '@earshot/domain';
import type { EngineDirectory, FactReader, Publisher } from '@earshot/jobs';
import type { ObjectStorage } from '@earshot/storage';
import { createManifest, newManifest, readManifest, sameOptions, type UploadIdentity } from './manifest.ts';
import { addressOf, type BucketCheck } from './recording-address.ts';
import { transcriptId } from './transcript-id.ts';

/** An upload event that could be read; its data may still be wrong. */
export interface Upload extends UploadIdentity {
  readonly data: Record<string, unknown>;
  readonly traceparent: string | undefined;
  /** What is wrong with the event beside its data; thrown unless the event was accepted before. */
  readonly fault?: CodedError | undefined;
}

/** What deciding on a manifest needs. */
export interface ManifestDeps {
  readonly storage: ObjectStorage;
  readonly facts: FactReader;
  readonly engines: EngineDirectory;
  readonly defaultEngine: string;
  /** From which buckets recordings may be read. */
  readonly buckets: BucketCheck;
  /** Default: the system's clock. */
  readonly now?: () => Date;
}

export interface AcceptDeps extends ManifestDeps {
  readonly publisher: Publisher;
  /** Age limit of facts; beyond half of it (or 1 h) a manifest no longer proves that its job was never published. */
  readonly factsAgeMs: number;
}

/**
 * How it ended; always acknowledge. `queued`: a split job is there. `settled`: it was further along already.
 * `left`: too old to tell, the reconciler decides. `deleted`: its transcript was. `other_data`: the id is taken.
 */
export type AcceptResult = 'queued' | 'settled' | 'left' | 'deleted' | 'other_data';

const HOUR_MS = 3_600_000;
const SOURCE = 'earshot/ingest';

/**
 * Manifest → fact `accepted` → split job, each only once however often and wherever this is repeated. Throws what is
 * wrong with the event (`invalid_event`, `unsupported_uri`, `forbidden_key`, `forbidden_bucket`, `unknown_engine`) or a
 * transient error.
 */
export async function acceptUpload(upload: Upload, deps: AcceptDeps): Promise<AcceptResult> {
  const decided = await decideManifest(upload, deps);
  if (typeof decided === 'string') return decided;
  const { manifest, made } = decided;
  return publishAccepted(manifest, upload, deps, made || isYoung(manifest, deps));
}

/**
 * Brings a recording back to work whose acceptance or split job may be lost: `queued` when a split job is there now,
 * `settled` when it was further along already. Idempotent.
 */
export const recoverRecording = (manifest: Manifest, deps: Pick<AcceptDeps, 'publisher' | 'facts'>) =>
  publishAccepted(manifest, { traceparent: undefined }, deps, true);

/**
 * The manifest of an upload event, made here unless there is one. Throws what is wrong with the event, like
 * {@link acceptUpload}, and publishes nothing.
 */
export async function decideManifest(
  upload: Upload,
  deps: ManifestDeps,
): Promise<{ manifest: Manifest; made: boolean } | 'deleted' | 'other_data'> {
  const id = transcriptId(upload.tenant, upload.source, upload.event_id);
  const known = await readManifest(deps.storage, upload.tenant, id);
  const manifest = known ?? manifestOf(upload, deps);
  if (manifest.kind === 'deleted') return 'deleted';
  if (known && !asksTheSame(manifest, upload)) return 'other_data';
  await requireEngineOnce(manifest, deps);
  if (known) return { manifest, made: false };
  if (await createManifest(deps.storage, manifest)) return { manifest, made: true };
  // A lost race is a repeat: it starts again and finds the winner's manifest.
  return decideManifest(upload, deps);
}

function manifestOf(upload: Upload, deps: ManifestDeps): Manifest | Tombstone {
  if (upload.fault) throw upload.fault;
  const recording = readRecordingUploaded(upload.data, 'invalid_event');
  return newManifest({
    ...upload,
    recording: { ...recording, uri: addressOf(upload.tenant, recording.uri, deps.buckets) },
    given: upload.data,
    defaultEngine: deps.defaultEngine,
    now: now(deps),
  });
}

const now = (deps: ManifestDeps) => deps.now?.() ?? new Date();

const asksTheSame = (manifest: Manifest, { data, fault }: Upload) =>
  !fault && manifest.uri === data.uri && sameOptions(manifest.options, data);

function isYoung(manifest: Manifest, deps: AcceptDeps): boolean {
  const age = now(deps).getTime() - Date.parse(manifest.created_at);
  return age < Math.min(HOUR_MS, deps.factsAgeMs / 2);
}

/** An engine that was removed after the acceptance does not undo it. */
async function requireEngineOnce(manifest: Manifest, deps: ManifestDeps): Promise<void> {
  if (await deps.engines.hasEngine(manifest.engine)) return;
  const facts = factSubjects(manifest.tenant_id, manifest.transcript_id);
  if (await deps.facts.last(facts.accepted)) return;
  throw new CodedError('unknown_engine', `no engine named ${manifest.engine} is installed`);
}

async function publishAccepted(
  manifest: Manifest,
  { traceparent }: Pick<Upload, 'traceparent'>,
  deps: Pick<AcceptDeps, 'publisher' | 'facts'>,
  fresh: boolean,
): Promise<AcceptResult> {
  const context = { source: SOURCE, traceparent };
  const facts = factSubjects(manifest.tenant_id, manifest.transcript_id);
  const first = await deps.publisher.publishFirst(acceptedFact(manifest, context), facts.any);
  if (first === 'stored' && !fresh) return 'left';
  if (first === 'already_there' && (await isSettled(deps.facts, facts))) return 'settled';
  await deps.publisher.publishFirst(firstSplitJob(manifest, context));
  return 'queued';
}

/** True when a split job would have nothing left to do. */
async function isSettled(reader: FactReader, facts: ReturnType<typeof factSubjects>): Promise<boolean> {
  const state = await reader.last(facts.states);
  if (state && state.subject !== facts.accepted) return true;
  return Boolean((await reader.last(facts.splits)) ?? (await reader.last(facts.gaveUps)));
}

/** What a manifest says of the accepted recording. */
export function acceptedData(manifest: Manifest): Accepted {
  const { tenant_id, transcript_id, engine, lane, channels, options, warnings } = manifest;
  return {
    ...{ tenant_id, transcript_id, engine, lane, channels, options, warnings },
    key: manifest.uri,
    ...(manifest.size_bytes === undefined ? {} : { size_bytes: manifest.size_bytes }),
    ...(manifest.sha256 === undefined ? {} : { sha256: manifest.sha256 }),
    accepted_at: manifest.created_at,
  };
}

/** The fact that a manifest's recording was accepted. */
export const acceptedFact = (manifest: Manifest, context: MessageContext) =>
  accepted.create(acceptedData(manifest), context);

/** The job that cuts a manifest's recording for the first time. */
export function firstSplitJob(manifest: Manifest, context: MessageContext) {
  const { tenant_id, transcript_id, engine, lane, channels, options } = manifest;
  return splitJob.create(
    {
      ...{ tenant_id, transcript_id, engine, lane, channels },
      ...{ plan: 1, generation: 0, attempt: 1 },
      key: manifest.uri,
      ...(options.language === undefined ? {} : { language: options.language }),
      accepted_at: manifest.created_at,
    },
    context,
  );
}
