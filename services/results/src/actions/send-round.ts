import type { Transaction } from '../store/database.ts';
import { markReplayed } from '../store/sql/dead-letters.ts';
import { insertReplays, type Replay } from '../store/sql/replays.ts';
import { resumeTranscripts } from '../store/sql/transcripts.ts';
import type { PieceOfWork } from './jobs-again.ts';

/** Jobs on their way, and how many dead letters they answer. */
export interface SentRound {
  readonly replays: readonly Replay[];
  readonly letters: readonly number[];
}

/**
 * Sends pieces of locked transcripts round again: each transcript gets its next generation and is being processed, the
 * jobs wait for the relay, and the dead letters of these pieces stand no longer. All others go on counting.
 */
export async function sendRound(
  tx: Transaction,
  pieces: readonly PieceOfWork[],
  traceparent: string | undefined,
): Promise<SentRound> {
  if (pieces.length === 0) return { replays: [], letters: [] };
  await resumeTranscripts(tx, [...new Set(pieces.map((piece) => piece.transcript_id))]);
  const replays = await insertReplays(tx, pieces, traceparent);
  return { replays, letters: await markReplayed(tx, pieces) };
}
