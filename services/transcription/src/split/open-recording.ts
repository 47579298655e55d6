import type { SplitJob } from '@earshot/contracts';
import { toCodedError } from '@earshot/domain';
import { checkTenantKey, type ObjectStorage } from '@earshot/storage';

/** How long after its acceptance a recording may still be on its way into storage. */
const ARRIVAL_MS = 60_000;

/** A file with the recording; undefined while it may still arrive; throws `missing_object` when it had its time. */
export async function openRecording(
  storage: ObjectStorage,
  job: SplitJob,
): Promise<{ path: string; release(): Promise<void> } | undefined> {
  try {
    return await storage.localFile(checkTenantKey(job.tenant_id, job.key));
  } catch (error) {
    const waited = Date.now() - Date.parse(job.accepted_at);
    if (toCodedError(error).code === 'missing_object' && waited < ARRIVAL_MS) return undefined;
    throw error;
  }
}
