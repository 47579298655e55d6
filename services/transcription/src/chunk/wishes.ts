import type { ChunkJob } from '@earshot/contracts';
import type { EngineOptions } from '@earshot/engine';
import { readManifest } from '@earshot/intake';
import type { ObjectStorage } from '@earshot/storage';

/** What the user asked of the engine. A job is too small for a vocabulary, so that is read from the manifest. */
export async function wishesOf(storage: ObjectStorage, job: ChunkJob): Promise<EngineOptions> {
  const { language, lane } = job;
  const manifest = await readManifest(storage, job.tenant_id, job.transcript_id);
  if (manifest?.kind !== 'recording') return { language, lane };
  const { vocabulary, diarization } = manifest.options;
  return { language, lane, vocabulary, diarization };
}
