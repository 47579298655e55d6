import type { OutgoingMessage } from '@earshot/contracts';
import { toProblem } from '@earshot/contracts';
import { CodedError } from '@earshot/domain';
import type { FactReader, Publisher, StoredFact } from '@earshot/jobs';
import { type Authenticate, createHttpServer, createLogger, SCOPES, type Scope } from '@earshot/service-kit';
import { openFileStorage } from '@earshot/storage-file';
import { tempFolder, testDatabase } from '@earshot/testkit';
import { factHandler } from '../src/facts/handle-facts.ts';
import { type OutboxRelay, startOutboxRelay } from '../src/relay/outbox-relay.ts';
import { resultsRoutes } from '../src/routes/routes.ts';
import { type Database, openDatabase } from '../src/store/database.ts';
import { migrate } from '../src/store/migrate.ts';

export const log = createLogger({ service: 'results-test', level: 'silent' });

/** Keeps what is published; `fail` makes the broker unreachable. */
export class RecordingPublisher implements Publisher {
  readonly published: OutgoingMessage[] = [];
  fail = false;

  async publish(message: OutgoingMessage): Promise<void> {
    if (this.fail) throw new CodedError('unavailable');
    this.published.push(message);
  }
  publishFirst(): Promise<never> {
    throw new Error('results publishes no jobs');
  }
  publishLater(): Promise<never> {
    throw new Error('results publishes no jobs');
  }
}

/** A database with its schema, a storage folder and the parts of results over them, as one replica. */
export async function resultsFixture() {
  const server = await testDatabase();
  await migrate(server.url);
  const folder = await tempFolder();
  const storage = await openFileStorage({ root: folder.path });
  const closers: (() => Promise<unknown>)[] = [];
  const open = (options: { poolSize?: number } = {}): Database => {
    const database = openDatabase({ url: server.url, log, connectTimeoutMs: 30_000, ...options });
    closers.push(() => database.close());
    return database;
  };
  const database = open();
  const query = async <Row extends object>(sql: string, params: unknown[] = []): Promise<Row[]> =>
    (await database.write((tx) => tx.query(sql, params))).rows as Row[];
  return {
    server,
    storage,
    database,
    query,
    /** Another pool, as another replica has. */
    open,
    /** Handles facts with a publisher of its own. */
    replica: (over: { database?: Database; sweepEveryMs?: number; leftOverAfterMs?: number } = {}) => {
      const publisher = new RecordingPublisher();
      const parts = { database: over.database ?? database, storage, log };
      const relay: OutboxRelay = startOutboxRelay({ ...parts, publisher, sweepEveryMs: 3_600_000, ...over });
      closers.unshift(() => relay.close(5_000));
      const handle = factHandler({ ...parts, onFinal: (rows) => relay.take(rows) });
      return { handle, relay, publisher };
    },
    close: async () => {
      for (const close of closers) await close();
      await storage.close();
      await server.drop();
      await folder.remove();
    },
  };
}
export type ResultsFixture = Awaited<ReturnType<typeof resultsFixture>>;

/** Answers from a map of subjects. */
export class MapFactReader implements FactReader {
  readonly facts = new Map<string, StoredFact>();
  fail = false;

  async last(subject: string): Promise<StoredFact | undefined> {
    if (this.fail) throw new CodedError('unavailable');
    return this.facts.get(subject);
  }
}

/** `Bearer <tenant>` has all scopes, `Bearer <tenant>/<scope>` one; no key is the tenant `default`. */
const byName: Authenticate = (authorization) => {
  const [tenant = 'default', scope] = authorization?.replace(/^Bearer /, '').split('/') ?? [];
  return { tenant, scopes: scope ? [scope as Scope] : SCOPES };
};

/** The routes on a server without a port. */
export async function routesFixture(results: ResultsFixture) {
  const facts = new MapFactReader();
  const server = await createHttpServer({
    title: 'results',
    version: '0',
    logger: log,
    authenticate: byName,
    describeError: toProblem,
    codedError: (code, detail, errors) => new CodedError(code, detail, errors ? { errors } : {}),
  });
  const { relay, publisher } = results.replica();
  const { database, storage } = results;
  await server.register(resultsRoutes({ database, storage, facts, onFinal: relay.take }));
  const get = (url: string, headers: Record<string, string> = {}) =>
    server.inject({ method: 'GET', url, headers });
  const post = (url: string, headers: Record<string, string> = {}, payload?: object) =>
    server.inject({ method: 'POST', url, headers, ...(payload ? { payload } : {}) });
  return { facts, server, publisher, get, post };
}
