import type { Span } from '@earshot/audio';
import type { Word } from '@earshot/domain';

/**
 * Estimates when each word of a window was said: the speech in it is shared out by the length of the words, and a word
 * stays within the stretch of speech in which its middle falls. Starts increase; every word lasts at least 1 ms.
 */
export function spreadWords(text: string, speech: readonly Span[]): Word[] {
  const words = text.split(/\s+/).filter((word) => word !== '');
  const letters = words.reduce((sum, word) => sum + word.length + 1, 0);
  const total = speech.reduce((sum, span) => sum + span.end_ms - span.start_ms, 0);
  const last = speech.at(-1)?.end_ms ?? 0;
  let said = 0;
  let floor = speech[0]?.start_ms ?? 0;
  return words.map((word, n) => {
    const from = (said / letters) * total;
    said += word.length + 1;
    const { start, end } = place(speech, from, (said / letters) * total);
    // Each word still to come needs a millisecond, whatever the rounding.
    const room = last - (words.length - n);
    const start_ms = Math.min(Math.max(Math.round(start), floor), room);
    const end_ms = Math.min(Math.max(Math.round(end), start_ms + 1), room + 1);
    floor = end_ms;
    return { start_ms, end_ms, text: word, confidence: null, timing: 'estimated' };
  });
}

/** Where a stretch of pure speech time lies in the recording. */
function place(speech: readonly Span[], from: number, to: number): { start: number; end: number } {
  const middle = (from + to) / 2;
  let before = 0;
  for (const { start_ms, end_ms } of speech) {
    const length = end_ms - start_ms;
    if (middle <= before + length) {
      return {
        start: start_ms + Math.max(0, from - before),
        end: Math.min(end_ms, start_ms + to - before),
      };
    }
    before += length;
  }
  const end = speech.at(-1)?.end_ms ?? 0;
  return { start: end - 1, end };
}
