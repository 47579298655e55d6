import {
  brokerSettings,
  processSettings,
  settingRules,
  settings,
  topologySettings,
} from '@earshot/contracts';
import { loadConfig } from '@earshot/service-kit';
import Type, { type Static } from 'typebox';

const ConfigSchema = Type.Object({
  ...processSettings,
  ...brokerSettings,
  ...topologySettings,
  PORT: { ...processSettings.PORT, default: 8082 },
  DATABASE_URL: settings.DATABASE_URL,
  EARSHOT_STORAGE_URL: settings.EARSHOT_STORAGE_URL,
  EARSHOT_API_KEYS_FILE: settings.EARSHOT_API_KEYS_FILE,
});

/** The settings of results. */
export type ResultsConfig = Readonly<Static<typeof ConfigSchema>>;

/** Reads the environment; throws a `ConfigError` with all problems. */
export const readConfig = (env: NodeJS.ProcessEnv = process.env): ResultsConfig =>
  loadConfig(ConfigSchema, env, settingRules);
