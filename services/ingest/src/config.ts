import {
  brokerSettings,
  processSettings,
  settingRules,
  settings,
  topologySettings,
} from '@earshot/contracts';
import { loadConfig } from '@earshot/service-kit';
import Type, { type Static } from 'typebox';

// Optional only where everything runs in one process.
const storageUrl = { pattern: '^file:', description: 'Where recordings are kept: file:/path' };

const ConfigSchema = Type.Object({
  ...processSettings(8081),
  ...brokerSettings,
  ...topologySettings,
  EARSHOT_STORAGE_URL: Type.String(storageUrl),
  EARSHOT_MAX_RECORDING_MB: settings.EARSHOT_MAX_RECORDING_MB,
  EARSHOT_API_KEYS_FILE: settings.EARSHOT_API_KEYS_FILE,
});

/** The settings of ingest. */
export type IngestConfig = Readonly<Static<typeof ConfigSchema>>;

/** Reads the environment; throws a `ConfigError` with all problems. */
export const readConfig = (env: NodeJS.ProcessEnv = process.env): IngestConfig =>
  loadConfig(ConfigSchema, env, settingRules);
