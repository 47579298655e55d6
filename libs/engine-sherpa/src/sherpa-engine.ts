import { createVoiceActivity } from '@earshot/audio';
import { CodedError, type Segment } from '@earshot/domain';
import type {
  EngineCapabilities,
  EngineContext,
  EngineInput,
  EngineOptions,
  SpeechEngine,
} from '@earshot/engine';
import { loadRecognizer } from './recognizer.ts';
import type { SherpaModel } from './sherpa-model.ts';
import { type Tools, transcribeChannels } from './transcribe-channels.ts';

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
    input: 'samples',
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
  yield* transcribeChannels(tools, input.channels, context);
}

function checkLanguage(language: string | undefined, known: readonly string[] | 'any'): void {
  const primary = language?.split(/[-_]/)[0]?.toLowerCase() ?? '';
  if (primary === '' || primary === 'auto' || known === 'any' || known.includes(primary)) return;
  throw new CodedError('unsupported_language', `The model knows ${known.join(', ')}, not ${language}`);
}
