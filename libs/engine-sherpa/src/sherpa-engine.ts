import { setImmediate as otherWork } from 'node:timers/promises';
import { createVoiceActivity, planWindows, type Span, type VoiceActivity } from '@earshot/audio';
import { CodedError, type Segment } from '@earshot/domain';
import type {
  ChannelAudio,
  EngineCapabilities,
  EngineContext,
  EngineInput,
  EngineOptions,
  SpeechEngine,
} from '@earshot/engine';
import { readWindow } from './read-window.ts';
import { loadRecognizer, type Recognize } from './recognizer.ts';
import type { SherpaModel } from './sherpa-model.ts';
import { spreadWords } from './spread-words.ts';

export interface SherpaEngineOptions {
  readonly model: SherpaModel;
  /** Default `sherpa`. */
  readonly name?: string;
  /** What transcripts call the weights; default `moonshine-tiny-en`. */
  readonly modelName?: string;
  /** Primary tags the model was made for; default `['en']`, as the default model turns other languages into nonsense. */
  readonly languages?: readonly string[] | 'any';
}

/** A local engine; `warm` loads its models ahead of the first call (idempotent). */
export interface SherpaEngine extends SpeechEngine {
  warm(): Promise<void>;
}

/** Speech that cannot be a cough: a window with this much of it and no text is an error, not silence. */
const CLEAR_SPEECH_MS = 2000;

interface Tools {
  readonly recognize: Recognize;
  readonly voice: VoiceActivity;
}

/**
 * Speech-to-text on the own CPU with sherpa-onnx. Native code that blocks its thread for about 0.3 s at a time: run it in a
 * child process, one call at a time. Errors: `unsupported_language`; `lost_text`, after everything else was yielded.
 */
export function createSherpaEngine(options: SherpaEngineOptions): SherpaEngine {
  const { model, name = 'sherpa', modelName = 'moonshine-tiny-en', languages = ['en'] } = options;
  const capabilities: EngineCapabilities = {
    languages,
    wordTimes: 'estimated',
    diarization: false,
    wholeRecording: false,
    maxChunkMs: 120_000,
    runs: 'child',
    billing: 'free',
  };
  let tools: Promise<Tools> | undefined;
  const load = () => {
    tools ??= loadTools(model);
    return tools;
  };
  return {
    name,
    model: modelName,
    capabilities,
    warm: async () => void (await load()),
    transcribe: (input, wishes, context) => transcribe(load, capabilities, input, wishes, context),
    close: async () => {
      tools = undefined;
    },
  };
}

async function loadTools(model: SherpaModel): Promise<Tools> {
  const voice = await createVoiceActivity({ model: model.vad });
  return { voice, recognize: await loadRecognizer(model) };
}

async function* transcribe(
  load: () => Promise<Tools>,
  { languages }: EngineCapabilities,
  input: EngineInput,
  { language }: EngineOptions,
  context: EngineContext,
): AsyncGenerator<Segment> {
  checkLanguage(language, languages);
  const tools = await load();
  let lost = 0;
  for (const channel of input.channels) lost += yield* transcribeChannel(tools, channel, context);
  if (lost > 0) throw new CodedError('lost_text', `${lost} ms of clear speech gave no text`);
}

function checkLanguage(language: string | undefined, known: readonly string[] | 'any'): void {
  const primary = language?.split(/[-_]/)[0]?.toLowerCase() ?? '';
  if (primary === '' || primary === 'auto' || known === 'any' || known.includes(primary)) return;
  throw new CodedError('unsupported_language', `The model knows ${known.join(', ')}, not ${language}`);
}

/** Yields the channel's segments, reports what was heard, and returns the milliseconds of clear speech without any text. */
async function* transcribeChannel(
  { voice, recognize }: Tools,
  { channel, samples }: ChannelAudio,
  { signal, heartbeat, heard }: EngineContext,
): AsyncGenerator<Segment, number> {
  signal.throwIfAborted();
  const spans = voice.speechSpans(samples);
  const windows = planWindows(samples, spans);
  let transcribed_ms = 0;
  let lost = 0;
  for (const window of windows) {
    let read = 0;
    for (const { text, speech } of readWindow(samples, window, recognize)) {
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

function duration(spans: readonly Span[]): number {
  return spans.reduce((sum, { start_ms, end_ms }) => sum + end_ms - start_ms, 0);
}

function toSegment(text: string, speech: readonly Span[], channel: number): Segment {
  const start_ms = speech[0]?.start_ms ?? 0;
  const end_ms = speech.at(-1)?.end_ms ?? 0;
  return { start_ms, end_ms, text, channel, speaker: null, words: spreadWords(text, speech) };
}
