import type { Logger } from '@earshot/service-kit';
import pg from 'pg';
import type { DatabaseAddress } from './address.ts';
import { clientAt } from './client.ts';
import { asUnavailable } from './sql-errors.ts';

/** A connection inside a transaction: all that the SQL of this service needs. */
export type Transaction = Pick<pg.ClientBase, 'query'>;

export interface DatabaseOptions {
  readonly url: DatabaseAddress;
  readonly log: Logger;
  /** Connections at most; default 10. */
  readonly poolSize?: number;
  /** How long one statement may take, default 30 s for writing, 10 s for reading. */
  readonly writeTimeoutMs?: number;
  readonly readTimeoutMs?: number;
  /** How long to wait for a connection; default 2 s, so that a route soon answers 503. */
  readonly connectTimeoutMs?: number;
}

/** Transactions on one PostgreSQL. Closed by whoever made it. */
export interface Database {
  /** Runs `work` in one transaction; a rejection rolls everything back. Throws `unavailable` like `read`. */
  write<T>(work: (tx: Transaction) => Promise<T>): Promise<T>;
  /** Runs `work` on one unchanging view of the data; throws `unavailable` within seconds when there is no server. */
  read<T>(work: (tx: Transaction) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

const INT8 = 20;

/** Milliseconds and counts fit a double exactly, so bigints are numbers here. */
const types: pg.CustomTypesConfig = {
  getTypeParser: (id: number, format?: 'text' | 'binary') =>
    id === INT8 ? Number : pg.types.getTypeParser(id, format as 'text'),
};

/** Both in one round trip, and valid only inside the transaction, so that transaction poolers can be used. */
const begin = (mode: string, timeoutMs: number) =>
  `BEGIN ${mode}; SET LOCAL statement_timeout = ${Math.trunc(timeoutMs)}`;

async function runIn<T>(pool: pg.Pool, start: string, work: (tx: Transaction) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  let broken: Error | undefined;
  try {
    await client.query(start);
    const result = await work(client);
    await client.query('COMMIT');
    return result;
  } catch (error) {
    await client.query('ROLLBACK').catch((failure: Error) => {
      broken = failure;
    });
    throw error;
  } finally {
    client.release(broken);
  }
}

const unavailable = (error: unknown): never => {
  throw asUnavailable(error);
};

/** Opens a pool; nothing is connected before the first transaction. */
export function openDatabase(options: DatabaseOptions): Database {
  const { log } = options;
  const pool = new pg.Pool({
    Client: clientAt(options.url),
    max: options.poolSize ?? 10,
    connectionTimeoutMillis: options.connectTimeoutMs ?? 2_000,
    idleTimeoutMillis: 30_000,
    keepAlive: true,
    application_name: 'earshot-results',
    types,
  });
  const onError = (err: Error) => log.warn({ err }, 'a database connection was lost');
  pool.on('error', onError);
  pool.on('connect', (client) => client.on('error', onError));
  const writing = begin('ISOLATION LEVEL READ COMMITTED', options.writeTimeoutMs ?? 30_000);
  const reading = begin('ISOLATION LEVEL REPEATABLE READ READ ONLY', options.readTimeoutMs ?? 10_000);
  let closing: Promise<void> | undefined;
  return {
    write: (work) => runIn(pool, writing, work).catch(unavailable),
    read: (work) => runIn(pool, reading, work).catch(unavailable),
    close: () => {
      closing ??= pool.end();
      return closing;
    },
  };
}
