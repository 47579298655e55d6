import type { Segment, Spoken } from './segment.ts';

/** Consecutive segments of one speaker on one channel; computed by us, not by engines. */
export interface Utterance {
  readonly start_ms: number;
  readonly end_ms: number;
  readonly text: string;
  readonly channel: number;
  readonly speaker: string | null;
  /** How many segments it joins; its words are theirs. */
  readonly segments: number;
}

type Voiced = Pick<Segment, 'channel' | 'speaker'>;

const sameVoice = (a: Voiced, b: Voiced) => a.channel === b.channel && a.speaker === b.speaker;

/** Text on one line: any run of white space counts as one space. */
export const oneLine = (text: string) => text.trim().replace(/\s+/g, ' ');

/** Segments that hold text, by start, then channel; the order given decides between equals. */
export function inOrder<Said extends Spoken>(segments: readonly Said[]): Said[] {
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

function join(run: readonly [Spoken, ...Spoken[]]): Utterance {
  const [first] = run;
  return {
    start_ms: first.start_ms,
    end_ms: run.reduce((end, segment) => Math.max(end, segment.end_ms), 0),
    text: run.map((segment) => oneLine(segment.text)).join(' '),
    channel: first.channel,
    speaker: first.speaker,
    segments: run.length,
  };
}

/** Joins neighbours of one voice; the segments must be in order and hold text. */
export function toUtterances(segments: readonly Spoken[]): Utterance[] {
  const runs: [Spoken, ...Spoken[]][] = [];
  for (const segment of segments) {
    const run = runs.at(-1);
    if (run && sameVoice(run[0], segment)) run.push(segment);
    else runs.push([segment]);
  }
  return runs.map(join);
}
