import { fileURLToPath } from 'node:url';
import type { Logger } from '@earshot/service-kit';
import { runner } from 'node-pg-migrate';

/** The SQL files lie in `src` and are read from there by the built code too. */
const FOLDER = fileURLToPath(new URL('../../src/store/migrations', import.meta.url));

/** How long to wait for another process that is migrating. */
const LOCK_TIMEOUT_MS = 60_000;

/**
 * Brings a database to the newest schema and returns the names of the files that ran here. A process that loses the
 * race waits for the winner and finds nothing left to do. Needs a direct connection, not a transaction pooler.
 */
export async function migrate(databaseUrl: string, log?: Logger): Promise<string[]> {
  const applied = await runner({
    databaseUrl: {
      connectionString: databaseUrl,
      connectionTimeoutMillis: 10_000,
      lock_timeout: LOCK_TIMEOUT_MS,
      application_name: 'earshot-migrate',
    },
    dir: FOLDER,
    direction: 'up',
    migrationsTable: 'schema_migrations',
    singleTransaction: true,
    advisoryLockMode: 'wait',
    logger: {
      info: (message) => log?.debug(message),
      warn: (message) => log?.warn(message),
      error: (message) => log?.error(message),
    },
  });
  return applied.map(({ name }) => name);
}
