import {
  brokerSettings,
  processSettings,
  settingRules,
  settings,
  topologySettings,
} from '@earshot/contracts';
import { doorProblems, loadConfig } from '@earshot/service-kit';
import Type, { type Static } from 'typebox';

const ConfigSchema = Type.Object({
  ...processSettings(8081),
  ...brokerSettings,
  ...topologySettings,
  EARSHOT_STORAGE_URL: settings.EARSHOT_STORAGE_URL,
  EARSHOT_MAX_RECORDING_MB: settings.EARSHOT_MAX_RECORDING_MB,
  EARSHOT_API_KEYS_FILE: settings.EARSHOT_API_KEYS_FILE,
});

/** The settings of ingest. */
export type IngestConfig = Readonly<Static<typeof ConfigSchema>>;

/** Reads the environment; throws a `ConfigError` with all problems. */
export const readConfig = (env: NodeJS.ProcessEnv = process.env): IngestConfig =>
  loadConfig(ConfigSchema, env, settingRules, doorProblems);
