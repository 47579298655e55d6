import {
  brokerSettings,
  googleProblems,
  processSettings,
  settingRules,
  settings,
  storageSettings,
  topologySettings,
} from '@earshot/contracts';
import { type ConfigCheck, doorProblems, loadConfig } from '@earshot/service-kit';
import { bucketFileProblems } from '@earshot/storage';
import Type, { type Static } from 'typebox';
import { pushProblems } from './pubsub/push-settings.ts';

const ConfigSchema = Type.Object({
  ...processSettings(8081),
  ...brokerSettings,
  ...topologySettings,
  ...storageSettings,
  EARSHOT_MAX_RECORDING_MB: settings.EARSHOT_MAX_RECORDING_MB,
  EARSHOT_API_KEYS_FILE: settings.EARSHOT_API_KEYS_FILE,
  EARSHOT_PUBSUB_AUDIENCE: settings.EARSHOT_PUBSUB_AUDIENCE,
  EARSHOT_PUBSUB_SERVICE_ACCOUNT: settings.EARSHOT_PUBSUB_SERVICE_ACCOUNT,
});

/** The settings of ingest. */
export type IngestConfig = Readonly<Static<typeof ConfigSchema>>;

/** Reads the environment; throws a `ConfigError` with all problems. */
export const readConfig = (env: NodeJS.ProcessEnv = process.env): IngestConfig =>
  loadConfig(ConfigSchema, env, settingRules, problemsOf);

const problemsOf: ConfigCheck = (config) => [
  ...doorProblems(config),
  ...googleProblems(config),
  ...pushProblems(config),
  ...bucketFileProblems(config.EARSHOT_BUCKETS_FILE as string | undefined),
];
