import { distinctChannels, MAX_CHANNELS, readWav, SAMPLE_RATE } from '@earshot/audio';
import type { ChunkJob } from '@earshot/contracts';
import { CodedError } from '@earshot/domain';
import type { EngineInput } from '@earshot/engine';
import { checkTenantKey, type ObjectStorage } from '@earshot/storage';

const BYTES_PER_MS = (SAMPLE_RATE / 1000) * 2;
const HEADER_ROOM = 4096;

/** The channels of a chunk worth transcribing; undefined when its object is gone. Reads no more than the chunk may hold. */
export async function readChunk(storage: ObjectStorage, job: ChunkJob): Promise<EngineInput | undefined> {
  const length = job.end_ms - job.start_ms;
  const maxBytes = HEADER_ROOM + length * BYTES_PER_MS * MAX_CHANNELS;
  const bytes = await storage.read(checkTenantKey(job.tenant_id, job.key), maxBytes);
  if (!bytes) return undefined;
  const { samples, channels, sampleRate } = readWav(bytes);
  if (sampleRate !== SAMPLE_RATE) {
    throw new CodedError('unsupported', `a chunk has ${SAMPLE_RATE} samples a second, not ${sampleRate}`);
  }
  const mode = job.channels === 'separate' ? 'separate' : 'auto';
  const frames = samples.length / channels;
  return {
    channels: distinctChannels(samples, channels, mode),
    duration_ms: Math.ceil((frames * 1000) / SAMPLE_RATE),
  };
}
