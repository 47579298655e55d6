import type { Segment, Word } from '@earshot/domain';
import { msOf, type Offset } from './offsets.ts';

/** One result, inline or in an output object: the same names in both. */
export interface VendorResult {
  readonly alternatives?: readonly VendorAlternative[] | null;
  readonly channelTag?: number | null;
  readonly resultEndOffset?: Offset | null;
  readonly languageCode?: string | null;
}

interface VendorAlternative {
  readonly transcript?: string | null;
  readonly words?: readonly VendorWord[] | null;
}

interface VendorWord {
  readonly startOffset?: Offset | null;
  readonly endOffset?: Offset | null;
  readonly word?: string | null;
  readonly confidence?: number | null;
  readonly speakerLabel?: string | null;
}

/** The segments that results mean, in time order; `channels` are the numbers of the tracks that were transcribed. */
export function readResults(
  results: readonly VendorResult[],
  channels: readonly number[],
  durationMs: number,
): Segment[] {
  const ends = new Map<number, number>();
  const segments = results.flatMap((result) => {
    const [best] = result.alternatives ?? [];
    const channel = channels[Math.max(0, (result.channelTag ?? 0) - 1)] ?? 0;
    const before = ends.get(channel) ?? 0;
    const end = Math.min(durationMs, msOf(result.resultEndOffset) ?? durationMs);
    ends.set(channel, Math.max(before, end));
    const text = best?.transcript?.trim();
    return text ? bySpeaker(best?.words ?? [], { text, channel, start: Math.min(before, end), end }) : [];
  });
  return segments.sort((a, b) => a.start_ms - b.start_ms);
}

interface Result {
  readonly text: string;
  readonly channel: number;
  readonly start: number;
  readonly end: number;
}

/** A result is one segment, or one for each turn where speakers are told apart. */
function bySpeaker(words: readonly VendorWord[], { text, channel, start, end }: Result): Segment[] {
  const timed = words.filter(({ word, endOffset }) => word && endOffset !== undefined && endOffset !== null);
  if (timed.length === 0) {
    return [{ start_ms: start, end_ms: Math.max(start + 1, end), text, channel, speaker: null, words: [] }];
  }
  const turns: VendorWord[][] = [];
  for (const word of timed) {
    const turn = turns.at(-1);
    if (turn && turn[0]?.speakerLabel === word.speakerLabel) turn.push(word);
    else turns.push([word]);
  }
  return turns.map((turn) => {
    const spoken = turn.map(wordOf);
    const words_text = turns.length === 1 ? text : spoken.map((word) => word.text).join(' ');
    const times = { start_ms: spoken[0]?.start_ms ?? start, end_ms: spoken.at(-1)?.end_ms ?? end };
    return { ...times, text: words_text, channel, speaker: turn[0]?.speakerLabel || null, words: spoken };
  });
}

/** A confidence of 0 means that none was given; the first word of a file has no start. */
function wordOf({ word, startOffset, endOffset, confidence }: VendorWord): Word {
  const start_ms = msOf(startOffset) ?? 0;
  const end_ms = Math.max(start_ms + 1, msOf(endOffset) ?? 0);
  return { start_ms, end_ms, text: word ?? '', confidence: confidence || null, timing: 'exact' };
}
