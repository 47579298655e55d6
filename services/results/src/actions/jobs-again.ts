import type { ChunkJob, Cut, SplitJob } from '@earshot/contracts';
import type { Recording } from '../store/sql/recordings.ts';
import type { Piece, Replay } from '../store/sql/replays.ts';

/** A piece of work with the job that sends it round. */
export type PieceOfWork = Piece & Pick<Replay, 'job'>;

const common = ({ transcript_id, tenant_id, generation, engine, lane, channels, language }: Recording) => ({
  ...{ tenant_id, transcript_id, engine, lane, channels },
  ...{ generation: generation + 1, attempt: 1 },
  ...(language === null ? {} : { language }),
});

/** Cuts a recording again; the cuts in storage are adopted. */
export function splitAgain(recording: Recording, plan: number): PieceOfWork {
  const { transcript_id, key } = recording;
  const accepted_at = recording.accepted_at.toISOString();
  const job: SplitJob = { ...common(recording), plan, key, accepted_at };
  return { transcript_id, stage: 'split', plan, n: 0, job };
}

/** Transcribes a chunk again whose place is known from its cut. */
export function chunkAgain(
  recording: Recording,
  plan: number,
  { n, cut }: { readonly n: number; readonly cut: Pick<Cut, 'key' | 'start_ms' | 'end_ms'> },
): PieceOfWork {
  const { key, start_ms, end_ms } = cut;
  const job: ChunkJob = { ...common(recording), plan, n, key, start_ms, end_ms };
  return { transcript_id: recording.transcript_id, stage: 'chunk', plan, n, job };
}
