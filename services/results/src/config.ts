import {
  brokerSettings,
  budgetProblems,
  budgetSettings,
  googleProblems,
  processSettings,
  scalingSettings,
  settingRules,
  settings,
  storageSettings,
  topologySettings,
} from '@earshot/contracts';
import { type ConfigCheck, doorProblems, loadConfig } from '@earshot/service-kit';
import { bucketFileProblems } from '@earshot/storage';
import Type, { type Static } from 'typebox';
import { addressProblems } from './store/address.ts';

const ConfigSchema = Type.Object({
  ...processSettings(8082),
  ...brokerSettings,
  ...topologySettings,
  ...storageSettings,
  ...scalingSettings,
  ...budgetSettings,
  DATABASE_URL: settings.DATABASE_URL,
  DATABASE_URL_FILE: settings.DATABASE_URL_FILE,
  EARSHOT_DATABASE_POOL_SIZE: settings.EARSHOT_DATABASE_POOL_SIZE,
  EARSHOT_API_KEYS_FILE: settings.EARSHOT_API_KEYS_FILE,
  EARSHOT_TRACE_URL_TEMPLATE: settings.EARSHOT_TRACE_URL_TEMPLATE,
});

/** The settings of results. */
export type ResultsConfig = Readonly<Static<typeof ConfigSchema>>;

/** Reads the environment; throws a `ConfigError` with all problems. */
export const readConfig = (env: NodeJS.ProcessEnv = process.env): ResultsConfig =>
  loadConfig(ConfigSchema, env, settingRules, problemsOf);

const problemsOf: ConfigCheck = (config) => [
  ...doorProblems(config),
  ...addressProblems(config),
  ...budgetProblems(config),
  ...googleProblems(config),
  ...bucketFileProblems(config.EARSHOT_BUCKETS_FILE as string | undefined),
];
