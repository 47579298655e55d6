import { quietestMs, type Span, type SpeechWindow } from '@earshot/audio';
import { dropLoops } from './drop-loops.ts';
import type { Recognize } from './recognizer.ts';

/** Text of one window, or of a part of it, with the speech it came from; '' when nothing could be read. */
export interface Passage {
  readonly text: string;
  readonly speech: readonly Span[];
}

/** Parts shorter than this are not split again. */
const SHORTEST_PART_MS = 1000;

/**
 * Reads a window of one channel's samples; when the model returns nothing for it, reads its halves, cut at their quietest
 * point, down to a second. A model can be silent for no visible reason: lost text looks exactly like silence.
 */
export function* readWindow(
  samples: Int16Array,
  window: SpeechWindow,
  recognize: Recognize,
): Generator<Passage, void, undefined> {
  const text = dropLoops(recognize(samples.subarray(window.start_ms * 16, window.end_ms * 16)));
  const final = text !== '' || window.end_ms - window.start_ms < 2 * SHORTEST_PART_MS;
  if (final) yield { text, speech: window.speech };
  else for (const half of halve(samples, window)) yield* readWindow(samples, half, recognize);
}

function halve(samples: Int16Array, { start_ms, end_ms, speech }: SpeechWindow): SpeechWindow[] {
  const margin = Math.max(SHORTEST_PART_MS, Math.floor((end_ms - start_ms) / 3)) - 50;
  const cut_ms = quietestMs(samples, start_ms + margin, end_ms - margin);
  const halves = [
    { start_ms, end_ms: cut_ms },
    { start_ms: cut_ms, end_ms },
  ];
  return halves
    .map((half) => ({ ...half, speech: within(speech, half) }))
    .filter((half) => half.speech.length > 0);
}

function within(speech: readonly Span[], range: Span): Span[] {
  const cut = speech.map((span) => ({
    start_ms: Math.max(span.start_ms, range.start_ms),
    end_ms: Math.min(span.end_ms, range.end_ms),
  }));
  return cut.filter(({ start_ms, end_ms }) => start_ms < end_ms);
}
