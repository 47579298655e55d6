import { CodedError, type Segment } from '@earshot/domain';
import type { EngineCapabilities, EngineContext, EngineInput } from '@earshot/engine';
import { hashOf, type SoundingChannel, type SpokenChannel } from './spoken-text.ts';

/** What the engines over the vendor can do. */
export const remoteCapabilities = {
  languages: ['en', 'de'],
  wordTimes: 'none',
  diarization: false,
  wholeRecording: false,
  input: 'samples',
  maxChunkMs: 60_000,
  runs: 'parent',
} as const satisfies Omit<EngineCapabilities, 'billing'>;

/** Throws `unsupported_language` before anything is asked or paid for. */
export function checkLanguage(language: string): void {
  if (remoteCapabilities.languages.some((known) => known === language)) return;
  throw new CodedError('unsupported_language', `the vendor does not know ${language}`);
}

/** The channels that hold any sound; silence is not worth a call. */
export function soundingChannels({ channels }: EngineInput): SoundingChannel[] {
  return channels
    .filter(({ samples }) => samples.some((sample) => sample !== 0))
    .map(({ channel, samples }) => ({ channel, audio: hashOf(new Uint8Array(samples.slice().buffer)) }));
}

/** All the sound of these channels together, in milliseconds. */
export const soundMs = (channels: readonly unknown[], { duration_ms }: EngineInput) =>
  channels.length * duration_ms;

/** What the vendor said as segments, one a channel, and what was heard of it. */
export function* hearChannels(
  spoken: readonly SpokenChannel[],
  { channels, duration_ms }: EngineInput,
  { heard }: EngineContext,
): Generator<Segment> {
  for (const { channel } of channels) {
    const said = spoken.find((one) => one.channel === channel);
    const speech_ms = said ? duration_ms : 0;
    if (said) yield { start_ms: 0, end_ms: duration_ms, text: said.text, channel, speaker: null, words: [] };
    heard({ channel, speech_ms, transcribed_ms: speech_ms });
  }
}
