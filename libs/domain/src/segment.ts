/** How a word's times were obtained: measured by the engine, spread over its segment by us, or not known. */
export type WordTiming = 'exact' | 'estimated' | 'none';

/** The smallest timed unit. Times are integer milliseconds from the recording's start, end exclusive. */
export interface Word {
  readonly start_ms: number;
  readonly end_ms: number;
  readonly text: string;
  /** 0..1, null when the engine gives none. */
  readonly confidence: number | null;
  readonly timing: WordTiming;
}

/** What an engine emitted for one window of one channel. Times are integer milliseconds, end exclusive. */
export interface Segment {
  readonly start_ms: number;
  readonly end_ms: number;
  readonly text: string;
  /** Zero-based audio track inside the recording. */
  readonly channel: number;
  readonly speaker: string | null;
  readonly words: readonly Word[];
}

/** A segment without its words, which are most of its bytes: enough for a text. */
export type Spoken = Omit<Segment, 'words'>;
