import type { Segment, Word } from './segment.ts';

/** Consecutive words of one speaker on one channel; computed by us, not by engines. */
export interface Utterance {
  readonly start_ms: number;
  readonly end_ms: number;
  readonly text: string;
  readonly channel: number;
  readonly speaker: string | null;
  readonly words: readonly Word[];
}

type Voiced = Pick<Segment, 'channel' | 'speaker'>;

const sameVoice = (a: Voiced, b: Voiced) => a.channel === b.channel && a.speaker === b.speaker;

/** Text on one line: any run of white space counts as one space. */
export const oneLine = (text: string) => text.trim().replace(/\s+/g, ' ');

/** Segments that hold text, by start, then channel; the order given decides between equals. */
export function inOrder(segments: readonly Segment[]): Segment[] {
  return segments
    .filter((segment) => segment.text.trim() !== '')
    .sort((a, b) => a.start_ms - b.start_ms || a.channel - b.channel);
}

/** True when more than one speaker or channel is heard, so that a reader must be told who speaks. */
export function hasSeveralVoices(segments: readonly Voiced[]): boolean {
  const [first] = segments;
  return first !== undefined && segments.some((segment) => !sameVoice(first, segment));
}

/** How a voice is shown: the speaker's name, else a number made of the channel. */
export const voiceName = (voice: Voiced) => voice.speaker ?? `Speaker ${voice.channel + 1}`;

function join(run: readonly [Segment, ...Segment[]]): Utterance {
  const [first] = run;
  return {
    start_ms: first.start_ms,
    end_ms: Math.max(...run.map((segment) => segment.end_ms)),
    text: run.map((segment) => oneLine(segment.text)).join(' '),
    channel: first.channel,
    speaker: first.speaker,
    words: run.flatMap((segment) => segment.words),
  };
}

/** Joins neighbouring segments of one voice. Empty segments are left out. */
export function toUtterances(segments: readonly Segment[]): Utterance[] {
  const runs: [Segment, ...Segment[]][] = [];
  for (const segment of inOrder(segments)) {
    const run = runs.at(-1);
    if (run && sameVoice(run[0], segment)) run.push(segment);
    else runs.push([segment]);
  }
  return runs.map(join);
}
