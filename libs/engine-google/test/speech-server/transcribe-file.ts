import { readWav } from '@earshot/audio';
import { type Hear, type HeardWord, hearHash } from './hear-wav.ts';

type Json = Record<string, unknown>;

/** What the server makes of one file. */
export interface FileResult {
  readonly results: readonly Json[];
  readonly billedMs: number;
}

/** A config as protobuf gives it: what matters of it here. */
interface Config {
  readonly model?: string;
  readonly features?: { readonly enableWordTimeOffsets?: boolean; readonly multiChannelMode?: string };
}

/** Longest file in minutes, with and without times of words; Google's own limits. */
const LIMITS: Readonly<Record<string, readonly [number, number]>> = { chirp_3: [20, 60] };

/**
 * Hears a WAV as the vendor would: the first channel, or each by itself; a result for every ten seconds. Other containers
 * are heard as one second of their bytes. Throws what the file's own error says.
 */
export function transcribeFile(bytes: Buffer, config: Config, hear: Hear = hearHash): FileResult {
  const sound = bytes.toString('latin1', 0, 4) === 'RIFF' ? readWav(bytes) : bytesAsSound(bytes);
  const frames = sound.samples.length / sound.channels;
  const seconds = frames / sound.sampleRate;
  const words = config.features?.enableWordTimeOffsets === true;
  const limit = (LIMITS[config.model ?? ''] ?? [480, 480])[words ? 0 : 1];
  if (seconds > limit * 60) throw new Error(`Audio of ${seconds} s is longer than ${limit} minutes`);
  const separate = config.features?.multiChannelMode === 'SEPARATE_RECOGNITION_PER_CHANNEL';
  const channels = separate ? Array.from({ length: sound.channels }, (_, n) => n) : [0];
  const results = channels.flatMap((channel) => {
    const samples = new Int16Array(frames);
    for (let n = 0; n < frames; n += 1) samples[n] = sound.samples[n * sound.channels + channel] ?? 0;
    return resultsOf(hear(samples, sound.sampleRate), separate ? channel + 1 : 0, words);
  });
  return { results, billedMs: Math.ceil(seconds) * 1000 * channels.length };
}

const bytesAsSound = (bytes: Buffer) => ({
  samples: new Int16Array(new Uint8Array(bytes).buffer, 0, Math.min(16_000, Math.floor(bytes.length / 2))),
  channels: 1,
  sampleRate: 16_000,
});

function resultsOf(heard: readonly HeardWord[], channelTag: number, times: boolean): Json[] {
  const groups = new Map<number, HeardWord[]>();
  for (const word of heard) {
    const group = Math.floor(word.start_ms / 10_000);
    groups.set(group, [...(groups.get(group) ?? []), word]);
  }
  return [...groups.values()].map((words) => ({
    channelTag,
    resultEndOffset: durationOf(words.at(-1)?.end_ms ?? 0),
    languageCode: 'en-us',
    alternatives: [
      {
        transcript: words.map(({ text }) => text).join(' '),
        confidence: 0.9,
        words: words.map(({ text, start_ms, end_ms }) => ({
          word: text,
          confidence: 0.9,
          ...(times ? { startOffset: durationOf(start_ms), endOffset: durationOf(end_ms) } : {}),
        })),
      },
    ],
  }));
}

export const durationOf = (ms: number) => ({
  seconds: Math.floor(ms / 1000),
  nanos: (ms % 1000) * 1_000_000,
});
