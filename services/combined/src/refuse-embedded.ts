import { ConfigError } from '@earshot/service-kit';
import type { CombinedConfig } from './config.ts';

/** Production runs on servers that somebody looks after: throws a `ConfigError` where one would be started for it. */
export function refuseEmbedded(config: CombinedConfig): CombinedConfig {
  if (config.ENVIRONMENT !== 'production') return config;
  const missing = (['NATS_URL', 'DATABASE_URL', 'EARSHOT_STORAGE_URL'] as const).filter(
    (name) => !config[name],
  );
  if (missing.length === 0) return config;
  throw new ConfigError(missing.map((name) => `${name} is required when ENVIRONMENT is production`));
}
