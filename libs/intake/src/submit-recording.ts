import { randomUUID } from 'node:crypto';
import { readRecordingUploaded } from '@earshot/contracts';
import {
  commitRecording,
  type DoorDeps,
  HTTP_SOURCE,
  requireEngine,
  type Stored,
} from './commit-recording.ts';
import { newManifest } from './manifest.ts';
import { addressOf } from './recording-address.ts';

/** A recording that is in storage already. */
export interface RecordingSubmission {
  readonly tenant: string;
  /** The caller's Idempotency-Key; without one every request is a new recording. */
  readonly key: string | undefined;
  /** The data of an upload event, as it came. */
  readonly given: Record<string, unknown>;
  readonly traceparent?: string | undefined;
}

/**
 * Manifest → upload event → its PubAck for an object under the tenant's prefix, or in a bucket of the tenant. Idempotent per
 * key. Whether the object exists is found out when it is cut: it may still be on its way. Throws coded errors of the request
 * or a dependency.
 */
export async function submitRecording(submission: RecordingSubmission, deps: DoorDeps): Promise<Stored> {
  const { tenant, given } = submission;
  const recording = readRecordingUploaded(given, 'invalid_request');
  const manifest = newManifest({
    tenant,
    source: HTTP_SOURCE,
    event_id: submission.key ?? randomUUID(),
    recording: { ...recording, uri: addressOf(tenant, recording.uri, deps.buckets) },
    given,
    defaultEngine: deps.defaultEngine,
    now: deps.now?.() ?? new Date(),
  });
  await requireEngine(deps.engines, manifest.engine);
  return (await commitRecording(deps, manifest, submission.traceparent)).stored;
}
