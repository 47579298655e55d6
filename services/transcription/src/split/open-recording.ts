import type { SplitJob } from '@earshot/contracts';
import { toCodedError } from '@earshot/domain';
import { placeOf, type RecordingPlaces } from '../recording-places.ts';

/** How long after its acceptance a recording may still be on its way into storage. */
const ARRIVAL_MS = 60_000;

/** A file with the recording; undefined while it may still arrive; throws `missing_object` when it had its time. */
export async function openRecording(
  places: RecordingPlaces,
  job: SplitJob,
): Promise<{ path: string; version?: string | undefined; release(): Promise<void> } | undefined> {
  try {
    return await placeOf(places, job.tenant_id, job.key).localFile();
  } catch (error) {
    const waited = Date.now() - Date.parse(job.accepted_at);
    if (toCodedError(error).code === 'missing_object' && waited < ARRIVAL_MS) return undefined;
    throw error;
  }
}
