import type { ChunkJob } from '@earshot/contracts';
import type { Segment, Word } from '@earshot/domain';

/** A segment as facts carry it: the document's own arrays, integer times. */
type PlacedSegment = Omit<Segment, 'words'> & { words: Word[] };

/**
 * Moves segments from the chunk's time to the recording's. No time leaves the chunk, no word its segment, and nothing ends
 * before it starts, whatever the engine said.
 */
export function placeSegments(
  segments: readonly Segment[],
  { start_ms, end_ms }: Pick<ChunkJob, 'start_ms' | 'end_ms'>,
): PlacedSegment[] {
  const move = (ms: number) => Math.round(ms) + start_ms;
  return segments.map((segment) => {
    const range = within(move(segment.start_ms), move(segment.end_ms), start_ms, end_ms);
    const words = segment.words.map((word) => ({
      ...word,
      ...within(move(word.start_ms), move(word.end_ms), range.start_ms, range.end_ms),
    }));
    return { ...segment, ...range, words };
  });
}

function within(start: number, end: number, min: number, max: number) {
  const start_ms = Math.min(Math.max(start, min), max);
  return { start_ms, end_ms: Math.min(Math.max(end, start_ms), max) };
}
