import { ChunkJobSchema } from '@earshot/contracts';
import { CodedError } from '@earshot/domain';
import { Compile } from 'typebox/schema';
import type { Transaction } from '../store/database.ts';
import { type FullDeadLetterRow, type LetterCut, stillOpen } from '../store/sql/find-dead-letters.ts';
import { loadRecordings, type Recording } from '../store/sql/recordings.ts';
import type { Replay } from '../store/sql/replays.ts';
import { type LockedTranscript, lockTranscripts, storeAccepted } from '../store/sql/transcripts.ts';
import { chunkAgain, type PieceOfWork, splitAgain } from './jobs-again.ts';
import { type Preparation, prepareRound, type RoundDeps } from './prepare-round.ts';
import { sendRound } from './send-round.ts';

/** What became of a page of dead letters. */
export interface Replayed {
  readonly changed: number;
  /** Why some were left as they are. */
  readonly refusals: ReadonlyMap<number, CodedError>;
  readonly replays: readonly Replay[];
}

const isChunkJob = Compile(ChunkJobSchema);
const conflict = (detail: string) => new CodedError('conflict', detail);

const idsOf = (letters: readonly FullDeadLetterRow[]) =>
  [...new Set(letters.flatMap(({ transcript_id }) => transcript_id ?? []))].sort();

/** The piece a dead letter stands for; a chunk's place is in the cuts, before they are all known in its own job. */
function pieceOf(letter: FullDeadLetterRow, recording: Recording, cut: LetterCut['cut']): PieceOfWork {
  if (letter.stage !== 'chunk') return splitAgain(recording, Math.max(1, letter.plan));
  const place = cut ?? (isChunkJob.Check(letter.job) ? letter.job : undefined);
  if (!place) throw conflict('the recording is still being cut: try again when that is done');
  return chunkAgain(recording, letter.plan, { n: letter.n, cut: place });
}

/** Throws for a transcript that nothing leads back from. */
function checkReplayable(transcript: LockedTranscript | undefined): void {
  if (!transcript || transcript.status === 'deleted') throw new CodedError('gone');
  if (transcript.status === 'canceled') throw conflict('the transcript is canceled');
}

const sameWork = ({ transcript_id, stage, plan, n }: PieceOfWork) => `${transcript_id} ${stage} ${plan} ${n}`;

interface Known {
  readonly transcripts: ReadonlyMap<string, LockedTranscript>;
  readonly recordings: ReadonlyMap<string, Recording>;
  readonly cuts: ReadonlyMap<number, LetterCut['cut']>;
  readonly refusals: Preparation['refusals'];
}

function choose(letters: readonly FullDeadLetterRow[], known: Known) {
  const pieces = new Map<string, PieceOfWork>();
  const refusals = new Map<number, CodedError>();
  for (const letter of letters) {
    const cut = known.cuts.get(letter.id);
    if (cut === undefined) continue;
    try {
      const id = letter.transcript_id ?? '';
      checkReplayable(known.transcripts.get(id));
      const refusal = known.refusals.get(id);
      if (refusal) throw refusal;
      const recording = known.recordings.get(id);
      if (!recording) throw conflict('the recording is not known');
      const piece = pieceOf(letter, recording, cut);
      pieces.set(sameWork(piece), piece);
    } catch (error) {
      if (!(error instanceof CodedError)) throw error;
      refusals.set(letter.id, error);
    }
  }
  return { pieces: [...pieces.values()], refusals };
}

async function replay(
  tx: Transaction,
  letters: readonly FullDeadLetterRow[],
  prepared: Preparation,
  traceparent: string | undefined,
): Promise<Replayed> {
  const ids = idsOf(letters);
  const locked = await lockTranscripts(tx, ids);
  if (prepared.accepted.length > 0) await storeAccepted(tx, prepared.accepted);
  const open = await stillOpen(
    tx,
    letters.map(({ id }) => id),
  );
  const recordings = await loadRecordings(tx, ids);
  const { pieces, refusals } = choose(letters, {
    transcripts: new Map(locked.map((row) => [row.id, row])),
    recordings: new Map(recordings.map((row) => [row.transcript_id, row])),
    cuts: new Map(open.map(({ id, cut }) => [id, cut])),
    refusals: prepared.refusals,
  });
  const { replays, letters: marked } = await sendRound(tx, pieces, traceparent);
  return { changed: marked.length, refusals, replays };
}

/**
 * Sends the pieces of these dead letters round again, with a number of statements that does not grow with them. Those
 * that somebody dealt with meanwhile are left alone.
 */
export async function replayWork(
  deps: RoundDeps,
  letters: readonly FullDeadLetterRow[],
  traceparent: string | undefined,
): Promise<Replayed> {
  if (letters.length === 0) return { changed: 0, refusals: new Map(), replays: [] };
  const prepared = await prepareRound(deps, idsOf(letters));
  return deps.database.write((tx) => replay(tx, letters, prepared, traceparent));
}
