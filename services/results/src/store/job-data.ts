import type { ChunkJob, Cut, SplitJob } from '@earshot/contracts';
import type { Recording } from './sql/recordings.ts';

/** A chunk of a plan, and where its audio is. */
export interface PlacedChunk {
  readonly n: number;
  readonly cut: Pick<Cut, 'key' | 'start_ms' | 'end_ms'>;
}

const common = (recording: Recording, generation: number) => {
  const { transcript_id, tenant_id, engine, lane, channels, language } = recording;
  return {
    ...{ tenant_id, transcript_id, engine, lane, channels, generation, attempt: 1 },
    ...(language === null ? {} : { language }),
  };
};

/** The data of a first attempt to cut a recording; cuts that are in storage are adopted. */
export const splitJobData = (recording: Recording, plan: number, generation: number): SplitJob => ({
  ...common(recording, generation),
  ...{ plan, key: recording.key, accepted_at: recording.accepted_at.toISOString() },
});

/** The data of a first attempt to transcribe a chunk. */
export const chunkJobData = (
  recording: Recording,
  plan: number,
  { n, cut: { key, start_ms, end_ms } }: PlacedChunk,
  generation: number,
): ChunkJob => ({ ...common(recording, generation), ...{ plan, n, key, start_ms, end_ms } });
