import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { processSettings, settingRules, settings } from '@earshot/contracts';
import { loadConfig } from '@earshot/service-kit';
import Type, { type Static } from 'typebox';

const ConfigSchema = Type.Object({
  ...processSettings(8080),
  NATS_URL: Type.Optional(settings.NATS_URL),
  DATABASE_URL: Type.Optional(settings.DATABASE_URL),
  EARSHOT_STORAGE_URL: Type.Optional(settings.EARSHOT_STORAGE_URL),
  EARSHOT_HOME: settings.EARSHOT_HOME,
  EARSHOT_API_KEYS_FILE: settings.EARSHOT_API_KEYS_FILE,
  EARSHOT_API_KEY: settings.EARSHOT_API_KEY,
});

/** The settings of combined itself; each service inside reads its own from {@link serviceEnvironment}. */
export type CombinedConfig = Readonly<Static<typeof ConfigSchema>>;
export type Environment = Readonly<Record<string, string | undefined>>;

/** Reads the environment; throws a `ConfigError` with all problems. */
export const readConfig = (env: Environment = process.env): CombinedConfig =>
  loadConfig(ConfigSchema, env, settingRules);

/** The environment as the process got it, for child processes and for the services inside. */
export const processEnvironment = (): Environment => process.env;

/** What the services inside see: the environment, with the addresses of what was started for them. */
export function serviceEnvironment(
  config: CombinedConfig,
  servers: { natsUrl: string; databaseUrl: string },
  env: Environment = process.env,
): Record<string, string | undefined> {
  const storage = pathToFileURL(join(resolve(config.EARSHOT_HOME), 'storage')).href;
  return {
    ...env,
    NATS_URL: servers.natsUrl,
    DATABASE_URL: servers.databaseUrl,
    EARSHOT_STORAGE_URL: config.EARSHOT_STORAGE_URL ?? storage,
    WORKER_CONCURRENCY: env.WORKER_CONCURRENCY ?? '2',
  };
}
