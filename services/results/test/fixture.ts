import type { OutgoingMessage } from '@earshot/contracts';
import { toProblem } from '@earshot/contracts';
import { CodedError } from '@earshot/domain';
import type { FactReader, FirstResult, JobDirectory, Publisher, StoredFact } from '@earshot/jobs';
import { type Authenticate, createHttpServer, createLogger, SCOPES, type Scope } from '@earshot/service-kit';
import { noTenantBuckets } from '@earshot/storage';
import { openFileStorage } from '@earshot/storage-file';
import { tempFolder, testDatabase } from '@earshot/testkit';
import { factHandler } from '../src/facts/handle-facts.ts';
import { type OutboxRelay, startOutboxRelay } from '../src/relay/outbox-relay.ts';
import { type ReplayRelay, startReplayRelay } from '../src/relay/replay-relay.ts';
import { resultsRoutes } from '../src/routes/routes.ts';
import { traceUrlFrom } from '../src/routes/trace-url.ts';
import { type Database, openDatabase, type Transaction } from '../src/store/database.ts';
import { migrate } from '../src/store/migrate.ts';

export const log = createLogger({ service: 'results-test', level: 'silent' });

/** Keeps what is published, and jobs until a test takes them; `fail` makes the broker unreachable. */
export class RecordingPublisher implements Publisher, Pick<JobDirectory, 'last'> {
  readonly published: OutgoingMessage[] = [];
  /** Jobs that are queued or in flight, by subject. */
  readonly queue = new Map<string, OutgoingMessage>();
  fail = false;

  async publish(message: OutgoingMessage): Promise<void> {
    if (this.fail) throw new CodedError('unavailable');
    this.published.push(message);
  }
  async publishFirst(message: OutgoingMessage): Promise<FirstResult> {
    if (this.queue.has(message.subject)) return 'already_there';
    if (!this.fail) this.queue.set(message.subject, message);
    await this.publish(message);
    return 'stored';
  }
  publishLater(): Promise<never> {
    throw new Error('results schedules no jobs');
  }
  /** How often somebody looked at a job. */
  asked = 0;
  async last(subject: string): Promise<StoredFact | undefined> {
    this.asked += 1;
    const message = this.queue.get(subject);
    return message && { subject, event: message.event, time: new Date() };
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
      const removed: [string, number][] = [];
      const replays: ReplayRelay = startReplayRelay({
        ...{ ...parts, publisher, jobs: publisher, sweepEveryMs: 3_600_000 },
        removeFacts: async (subject, upTo) => void removed.push([subject, upTo]),
        ...over,
      });
      closers.unshift(
        () => relay.close(5_000),
        () => replays.close(5_000),
      );
      const handle = factHandler({ ...parts, onFinal: (rows) => relay.take(rows) });
      return { handle, relay, replays, removed, publisher };
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
  const replica = results.replica();
  const { database, storage } = results;
  /** Engines that wait, and until when. */
  const waiting = new Map<string, Date>();
  const engines = { names: new Set(['sherpa']), hasEngine: async (name: string) => engines.names.has(name) };
  await server.register(
    resultsRoutes({
      ...{
        database,
        storage,
        facts,
        engines,
        log,
        publisher: replica.publisher,
        defaultEngine: 'sherpa',
        buckets: noTenantBuckets,
      },
      traceUrl: traceUrlFrom('https://traces.test/{trace_id}'),
      waits: async () => waiting,
      onFinal: replica.relay.take,
      onReplay: replica.replays.take,
    }),
  );
  const get = (url: string, headers: Record<string, string> = {}) =>
    server.inject({ method: 'GET', url, headers });
  const post = (url: string, headers: Record<string, string> = {}, payload?: object) =>
    server.inject({ method: 'POST', url, headers, ...(payload ? { payload } : {}) });
  return { ...replica, facts, engines, waiting, server, get, post };
}

/** A database that counts the statements of its transactions. */
export function counting(database: Database) {
  const counter = { statements: 0 };
  const counted =
    <T>(work: (tx: Transaction) => Promise<T>) =>
    (tx: Transaction) =>
      work({
        query: ((...args: Parameters<typeof tx.query>) => {
          counter.statements += 1;
          return tx.query(...args);
        }) as typeof tx.query,
      });
  const read: Database['read'] = (work) => database.read(counted(work));
  const write: Database['write'] = (work) => database.write(counted(work));
  return { counter, counted: { ...database, read, write } };
}
