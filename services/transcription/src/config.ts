import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import {
  brokerSettings,
  budgetProblems,
  budgetSettings,
  googleProblems,
  googleSettings,
  parseEngines,
  processSettings,
  settingRules,
  settings,
  storageSettings,
  topologySettings,
} from '@earshot/contracts';
import type { SherpaModel } from '@earshot/engine-sherpa';
import { type ConfigCheck, loadConfig } from '@earshot/service-kit';
import { bucketFileProblems } from '@earshot/storage';
import Type, { type Static } from 'typebox';
import { type EngineTable, engineTable, needModel } from './engines.ts';

const ConfigSchema = Type.Object({
  ...processSettings(8083),
  ...brokerSettings,
  ...topologySettings,
  ...storageSettings,
  ...budgetSettings,
  ...googleSettings,
  WORKER_CONCURRENCY: settings.WORKER_CONCURRENCY,
  WORKER_MAX_TASKS_PER_CHILD: settings.WORKER_MAX_TASKS_PER_CHILD,
  TASK_TIME_LIMIT: settings.TASK_TIME_LIMIT,
  EARSHOT_FFMPEG_BIN: settings.EARSHOT_FFMPEG_BIN,
  EARSHOT_MODEL_DIR: settings.EARSHOT_MODEL_DIR,
  EARSHOT_MAX_ATTEMPTS: settings.EARSHOT_MAX_ATTEMPTS,
  EARSHOT_MAX_RECORDING_HOURS: settings.EARSHOT_MAX_RECORDING_HOURS,
  EARSHOT_WORKER_MEMORY_LIMIT_MB: settings.EARSHOT_WORKER_MEMORY_LIMIT_MB,
  EARSHOT_EXIT_WHEN_IDLE_SECONDS: settings.EARSHOT_EXIT_WHEN_IDLE_SECONDS,
});

/** The settings of transcription. */
export type TranscriptionConfig = Readonly<Static<typeof ConfigSchema>>;

type Environment = Readonly<Record<string, string | undefined>>;

/** What the process can run: a table of engines, and whether EARSHOT_MODEL_DIR is the only way to their model. */
export interface Build {
  readonly engines?: EngineTable;
  readonly needsModelDir?: boolean;
}

/** Reads the environment; throws a `ConfigError` with all problems. */
export const readConfig = (env: Environment = process.env, build: Build = {}): TranscriptionConfig =>
  loadConfig(ConfigSchema, env, settingRules, checkOf(build));

/** Reads the environment of a process of its own, to which nobody hands a model. */
export const readProcessConfig = (): TranscriptionConfig => readConfig(process.env, { needsModelDir: true });

const checkOf =
  ({ engines = engineTable, needsModelDir = false }: Build): ConfigCheck =>
  (config) => {
    const { EARSHOT_ENGINES, EARSHOT_MODEL_DIR, EARSHOT_BUCKETS_FILE } = config;
    const bucketsFile = typeof EARSHOT_BUCKETS_FILE === 'string' ? EARSHOT_BUCKETS_FILE : undefined;
    const known = Object.keys(engines);
    const asked = parseEngines(String(EARSHOT_ENGINES));
    const unknown = asked.filter((name) => !known.includes(name));
    const problems = unknown.map(
      (name) => `EARSHOT_ENGINES names ${name}, this build knows ${known.join(', ')}`,
    );
    if (needsModelDir && needModel(asked, engines)) problems.push(...modelProblems(EARSHOT_MODEL_DIR));
    const google = googleProblems(config);
    return [...problems, ...budgetProblems(config), ...google, ...bucketFileProblems(bucketsFile)];
  };

function modelProblems(folder: unknown): string[] {
  if (typeof folder !== 'string' || folder === '')
    return ['EARSHOT_MODEL_DIR is required: where the speech model is'];
  const missing = Object.values(modelIn(folder)).filter((file) => !existsSync(file));
  if (missing.length === 0) return [];
  return [`EARSHOT_MODEL_DIR is ${folder}, which lacks ${missing.map((file) => basename(file)).join(', ')}`];
}

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
