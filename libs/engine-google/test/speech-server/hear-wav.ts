import { createHash } from 'node:crypto';

/** A word that was heard, in milliseconds from the beginning of the file. */
export interface HeardWord {
  readonly text: string;
  readonly start_ms: number;
  readonly end_ms: number;
}

/** The samples of one channel to its words; 16 kHz. */
export type Hear = (samples: Int16Array, sampleRate: number) => readonly HeardWord[];

/** Four words that nobody could guess, and that whoever hears the same sound hears again; none in silence. */
export const hearHash: Hear = (samples, sampleRate) => {
  if (!samples.some((sample) => sample !== 0)) return [];
  const bytes = new Uint8Array(samples.slice().buffer);
  const words = createHash('sha256').update(bytes).digest('hex').match(/.{8}/g) ?? [];
  const ms = (samples.length / sampleRate) * 1000;
  return words.slice(0, 4).map((text, n) => ({
    text,
    start_ms: Math.floor((n * ms) / 4),
    end_ms: Math.max(Math.floor((n * ms) / 4) + 1, Math.floor(((n + 1) * ms) / 4)),
  }));
};
