import { fileURLToPath } from 'node:url';
import type { Logger } from '@earshot/service-kit';
import { PG_MIGRATE_LOCK_ID, runner } from 'node-pg-migrate';
import type pg from 'pg';
import type { DatabaseAddress } from './address.ts';
import { clientAt } from './client.ts';
import { asUnavailable } from './sql-errors.ts';

/** The SQL files lie in `src` and are read from there by the built code too. */
const FOLDER = fileURLToPath(new URL('../../src/store/migrations', import.meta.url));

/** How long to wait for another process that is migrating, and for tables in use. */
const LOCK_TIMEOUT = "SET LOCAL lock_timeout = '60s'";

/**
 * The runner's own lock belongs to a session, which a transaction pooler does not keep; this one, of the same number,
 * belongs to a transaction that stays open meanwhile.
 */
const TAKE_LOCK = `BEGIN; ${LOCK_TIMEOUT}; SET LOCAL idle_in_transaction_session_timeout = 0; SELECT pg_advisory_xact_lock(${PG_MIGRATE_LOCK_ID})`;

/**
 * Brings a database to the newest schema and returns the names of the files that ran here. A process that loses the
 * race waits for the winner and finds nothing left to do. Throws `unavailable` when there is no way to the database.
 */
export async function migrate(address: DatabaseAddress, log?: Logger): Promise<string[]> {
  const Client = clientAt(address);
  const [lock, worker] = [1, 2].map(
    () => new Client({ connectionTimeoutMillis: 10_000, application_name: 'earshot-migrate' }),
  ) as [pg.Client, pg.Client];
  for (const client of [lock, worker])
    client.on('error', (err) => log?.warn({ err }, 'a migration lost its connection'));
  try {
    await lock.connect();
    await lock.query(TAKE_LOCK);
    await worker.connect();
    const applied = await run(worker, log);
    await lock.query('COMMIT');
    return applied;
  } catch (error) {
    throw asUnavailable(error);
  } finally {
    await Promise.all([lock, worker].map((client) => client.end().catch(() => undefined)));
  }
}

async function run(client: pg.Client, log: Logger | undefined): Promise<string[]> {
  const applied = await runner({
    dbClient: withLockTimeout(client),
    dir: FOLDER,
    direction: 'up',
    migrationsTable: 'schema_migrations',
    singleTransaction: true,
    noLock: true,
    logger: {
      info: (message) => log?.debug(message),
      warn: (message) => log?.warn(message),
      error: (message) => log?.error(message),
    },
  });
  return applied.map(({ name }) => name);
}

/** Poolers refuse `lock_timeout` as a parameter of the connection, and the runner begins its transaction itself. */
function withLockTimeout(client: pg.Client): pg.Client {
  const query = client.query.bind(client) as (...args: unknown[]) => unknown;
  const timed = (text: unknown, ...rest: unknown[]) =>
    query(text === 'BEGIN' ? `BEGIN; ${LOCK_TIMEOUT}` : text, ...rest);
  return Object.assign(client, { query: timed });
}
