import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { processSettings, settingRules, settings } from '@earshot/contracts';
import { readConfig as readIngestConfig } from '@earshot/ingest';
import { readConfig as readResultsConfig } from '@earshot/results';
import { type ConfigCheck, doorProblems, loadConfig, loadTogether } from '@earshot/service-kit';
import { readConfig as readTranscriptionConfig } from '@earshot/transcription';
import Type, { type Static } from 'typebox';

const ConfigSchema = Type.Object({
  ...processSettings(8080),
  NATS_URL: Type.Optional(settings.NATS_URL),
  DATABASE_URL: Type.Optional(settings.DATABASE_URL),
  EARSHOT_STORAGE_URL: Type.Optional(settings.EARSHOT_STORAGE_URL),
  EARSHOT_ENGINES: settings.EARSHOT_ENGINES,
  WORKER_CONCURRENCY: settings.WORKER_CONCURRENCY,
  EARSHOT_HOME: settings.EARSHOT_HOME,
  EARSHOT_API_KEYS_FILE: settings.EARSHOT_API_KEYS_FILE,
  EARSHOT_API_KEY: settings.EARSHOT_API_KEY,
});

/** The settings of combined itself; each service inside reads its own from {@link serviceEnvironment}. */
export type CombinedConfig = Readonly<Static<typeof ConfigSchema>>;
export type Environment = Readonly<Record<string, string | undefined>>;

/** Reads the environment, for the services inside as well; throws a `ConfigError` with all problems of all. */
export function readConfig(env: Environment = process.env): CombinedConfig {
  const inside = replaced(env, NOT_YET_KNOWN);
  return loadTogether(
    () => loadConfig(ConfigSchema, env, settingRules, combinedProblems),
    () => readIngestConfig(inside),
    () => readResultsConfig(inside),
    () => readTranscriptionConfig(inside),
  );
}

/** Stand for what combined starts or reads itself, while only the other settings of the services are checked. */
const NOT_YET_KNOWN = {
  NATS_URL: 'nats://127.0.0.1',
  DATABASE_URL: 'postgres://127.0.0.1',
  EARSHOT_STORAGE_URL: 'file:/',
};

const combinedProblems: ConfigCheck = (config) => [...doorProblems(config), ...embeddedProblems(config)];

/** Production runs on servers that somebody looks after. */
const embeddedProblems: ConfigCheck = (config) =>
  config.ENVIRONMENT !== 'production'
    ? []
    : Object.keys(NOT_YET_KNOWN)
        .filter((name) => !config[name])
        .map((name) => `${name} is required when ENVIRONMENT is production`);

/** An environment with other values for some names, their `X_FILE` left out. */
function replaced(
  env: Environment,
  values: Readonly<Record<string, string>>,
): Record<string, string | undefined> {
  const files = new Set(Object.keys(values).map((name) => `${name}_FILE`));
  return { ...Object.fromEntries(Object.entries(env).filter(([name]) => !files.has(name))), ...values };
}

/** The environment as the process got it, for child processes and for the services inside. */
export const processEnvironment = (): Environment => process.env;

/** What the services inside see: the environment, with the addresses of what was started for them. */
export function serviceEnvironment(
  config: CombinedConfig,
  servers: { natsUrl: string; databaseUrl: string },
  env: Environment = process.env,
): Record<string, string | undefined> {
  const storage = pathToFileURL(join(resolve(config.EARSHOT_HOME), 'storage')).href;
  return replaced(env, {
    NATS_URL: servers.natsUrl,
    // A file is left to results, which reads it again at each connect.
    ...(env.DATABASE_URL_FILE ? {} : { DATABASE_URL: servers.databaseUrl }),
    EARSHOT_STORAGE_URL: config.EARSHOT_STORAGE_URL ?? storage,
    WORKER_CONCURRENCY: String(config.WORKER_CONCURRENCY ?? 2),
  });
}
