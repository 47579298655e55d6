import { join } from 'node:path';
import {
  brokerSettings,
  processSettings,
  settingRules,
  settings,
  topologySettings,
} from '@earshot/contracts';
import type { SherpaModel } from '@earshot/engine-sherpa';
import { loadConfig } from '@earshot/service-kit';
import Type, { type Static } from 'typebox';

const ConfigSchema = Type.Object({
  ...processSettings(8083),
  ...brokerSettings,
  ...topologySettings,
  WORKER_CONCURRENCY: settings.WORKER_CONCURRENCY,
  WORKER_MAX_TASKS_PER_CHILD: settings.WORKER_MAX_TASKS_PER_CHILD,
  TASK_TIME_LIMIT: settings.TASK_TIME_LIMIT,
  EARSHOT_STORAGE_URL: settings.EARSHOT_STORAGE_URL,
  EARSHOT_FFMPEG_BIN: settings.EARSHOT_FFMPEG_BIN,
  EARSHOT_MODEL_DIR: settings.EARSHOT_MODEL_DIR,
  EARSHOT_MAX_ATTEMPTS: settings.EARSHOT_MAX_ATTEMPTS,
  EARSHOT_MAX_RECORDING_HOURS: settings.EARSHOT_MAX_RECORDING_HOURS,
  EARSHOT_WORKER_MEMORY_LIMIT_MB: settings.EARSHOT_WORKER_MEMORY_LIMIT_MB,
});

/** The settings of transcription. */
export type TranscriptionConfig = Readonly<Static<typeof ConfigSchema>>;

type Environment = Readonly<Record<string, string | undefined>>;

/** Reads the environment; throws a `ConfigError` with all problems. */
export const readConfig = (env: Environment = process.env): TranscriptionConfig =>
  loadConfig(ConfigSchema, env, settingRules);

/** The files of the default model in the folder EARSHOT_MODEL_DIR. */
export const modelIn = (folder: string): SherpaModel => ({
  encoder: join(folder, 'encoder_model.ort'),
  decoder: join(folder, 'decoder_model_merged.ort'),
  tokens: join(folder, 'tokens.txt'),
  vad: join(folder, 'silero_vad_v5.onnx'),
});

const FOR_CHILDREN = [
  'PATH',
  'HOME',
  'TMPDIR',
  'TZ',
  'LANG',
  'LC_ALL',
  'LD_LIBRARY_PATH',
  'DYLD_LIBRARY_PATH',
  'SystemRoot',
];

/** The only variables that child processes see: code that reads hostile audio gets no credentials. */
export function childEnvironment(env: Environment = process.env): Record<string, string> {
  const kept = FOR_CHILDREN.map((name) => [name, env[name]] as const);
  return Object.fromEntries(kept.filter((pair): pair is [string, string] => pair[1] !== undefined));
}
