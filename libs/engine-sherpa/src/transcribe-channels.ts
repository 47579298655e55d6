import { setImmediate as otherWork } from 'node:timers/promises';
import { planWindows, type Span, type VoiceActivity } from '@earshot/audio';
import { CodedError, type Segment } from '@earshot/domain';
import type { ChannelAudio, EngineContext, EngineStep } from '@earshot/engine';
import { readWindow } from './read-window.ts';
import type { Recognize } from './recognizer.ts';
import { spreadWords } from './spread-words.ts';

/** Speech that cannot be a cough: a window with this much of it and no text is an error, not silence. */
const CLEAR_SPEECH_MS = 2000;

/** The loaded models. */
export interface Tools {
  readonly recognize: Recognize;
  readonly voice: VoiceActivity;
}

/**
 * Yields the segments of all channels, one channel after another, and reports for each what was heard.
 * Throws `lost_text` after everything else was yielded, when clear speech gave no text.
 */
export async function* transcribeChannels(
  tools: Tools,
  channels: readonly ChannelAudio[],
  context: Omit<EngineContext, 'ledger'>,
): AsyncGenerator<Segment> {
  let lost = 0;
  for (const channel of channels) lost += yield* transcribeChannel(tools, channel, context);
  if (lost > 0) throw new CodedError('lost_text', `${lost} ms of clear speech gave no text`);
}

/** Yields the channel's segments, reports what was heard, and returns the milliseconds of clear speech without any text. */
async function* transcribeChannel(
  { voice, recognize }: Tools,
  { channel, samples }: ChannelAudio,
  { signal, heartbeat, heard, timed }: Omit<EngineContext, 'ledger'>,
): AsyncGenerator<Segment, number> {
  signal.throwIfAborted();
  const spans = time(timed, 'voice activity', () => voice.speechSpans(samples));
  const windows = planWindows(samples, spans);
  const recognizeTimed: Recognize = (part) => time(timed, 'recognition', () => recognize(part));
  let transcribed_ms = 0;
  let lost = 0;
  for (const window of windows) {
    let read = 0;
    for (const { text, speech } of readWindow(samples, window, recognizeTimed)) {
      heartbeat();
      await otherWork();
      signal.throwIfAborted();
      if (text === '') continue;
      read += duration(speech);
      yield toSegment(text, speech, channel);
    }
    transcribed_ms += read;
    if (read === 0 && duration(window.speech) >= CLEAR_SPEECH_MS) lost += duration(window.speech);
  }
  heard({ channel, speech_ms: duration(spans), transcribed_ms });
  return lost;
}

function time<T>(timed: EngineContext['timed'], step: EngineStep, work: () => T): T {
  const started = performance.now();
  const result = work();
  timed?.(step, performance.now() - started);
  return result;
}

function duration(spans: readonly Span[]): number {
  return spans.reduce((sum, { start_ms, end_ms }) => sum + end_ms - start_ms, 0);
}

function toSegment(text: string, speech: readonly Span[], channel: number): Segment {
  const start_ms = speech[0]?.start_ms ?? 0;
  const end_ms = speech.at(-1)?.end_ms ?? 0;
  return { start_ms, end_ms, text, channel, speaker: null, words: spreadWords(text, speech) };
}
