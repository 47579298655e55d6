import { type ChunkJob, type Cut, CutSchema } from '@earshot/contracts';
import { CodedError } from '@earshot/domain';
import type { EngineInput } from '@earshot/engine';
import { type ObjectStorage, storageKeys } from '@earshot/storage';
import { Compile } from 'typebox/schema';
import { placeOf, type RecordingPlaces } from '../recording-places.ts';

const cutShape = Compile(CutSchema);

/** A chunk as an engine gets it that reads stored sound by itself. */
export interface StoredChunk {
  readonly input: EngineInput;
  /** Rejects with `missing_object` when the sound is gone, `recording_changed` when it is no longer what was cut. */
  check(): Promise<void>;
}

/** Where a chunk's sound lies; none of it is read. */
export async function storedChunk(places: RecordingPlaces, job: ChunkJob): Promise<StoredChunk> {
  const { tracks, channels, version } = (await decidedCut(places.storage, job)) ?? { channels: 1 };
  const place = placeOf(places, job.tenant_id, job.key);
  return {
    input: {
      channels: [],
      duration_ms: job.end_ms - job.start_ms,
      stored: {
        uri: place.uri(),
        tracks: channels,
        channels: tracks ?? Array.from({ length: channels }, (_, n) => n),
        open: () => place.open(),
      },
    },
    check: async () => {
      const now = await place.version();
      if (now === undefined)
        throw new CodedError('missing_object', `the audio of chunk ${job.n} is not there`);
      if (version === undefined || version === now) return;
      throw new CodedError('recording_changed', 'the recording was replaced after it was cut');
    },
  };
}

/** The job says where a chunk is; what is to be transcribed of it stands with its cut. */
async function decidedCut(storage: ObjectStorage, job: ChunkJob): Promise<Cut | undefined> {
  const bytes = await storage.read(storageKeys(job.tenant_id, job.transcript_id).cut(job.plan, job.n));
  const cut: unknown = bytes && JSON.parse(bytes.toString());
  return cutShape.Check(cut) && cut.key === job.key ? cut : undefined;
}
