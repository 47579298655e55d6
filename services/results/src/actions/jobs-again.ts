import { chunkJobData, type PlacedChunk, splitJobData } from '../store/job-data.ts';
import type { Recording } from '../store/sql/recordings.ts';
import type { Piece, Replay } from '../store/sql/replays.ts';

/** A piece of work with the job that sends it round. */
export type PieceOfWork = Piece & Pick<Replay, 'job'>;

/** Cuts a recording again; the cuts in storage are adopted. */
export function splitAgain(recording: Recording, plan: number): PieceOfWork {
  const { transcript_id, generation } = recording;
  return { transcript_id, stage: 'split', plan, n: 0, job: splitJobData(recording, plan, generation + 1) };
}

/** Transcribes a chunk again whose place is known from its cut. */
export function chunkAgain(recording: Recording, plan: number, chunk: PlacedChunk): PieceOfWork {
  const { transcript_id, generation } = recording;
  const job = chunkJobData(recording, plan, chunk, generation + 1);
  return { transcript_id, stage: 'chunk', plan, n: chunk.n, job };
}
