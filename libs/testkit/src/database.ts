import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  embeddedOptionsFromEnv,
  type ResolvedPostgres,
  type RunningPostgres,
  resolvePostgres,
  startPostgres,
} from '@earshot/embedded';
import pg from 'pg';
import { tempFolder } from './temp-folder.ts';

/** An empty database of a test file on a real PostgreSQL of its own. */
export interface TestDatabase {
  readonly url: string;
  /** Rows of one statement, on a connection of its own; rejects while the server does not answer. */
  query<Row extends object>(sql: string, values?: readonly unknown[]): Promise<Row[]>;
  /** Stops the whole server; its data stay. */
  stop(): Promise<void>;
  /** Ends the whole server without warning (SIGKILL); its data stay. */
  kill(): Promise<void>;
  /** SIGSTOP to the whole server (on Linux): connections stay open and nothing answers from now on, until `resume`. */
  pause(): void;
  resume(): void;
  /** Starts the server again on the same port and waits until it answers. */
  start(): Promise<void>;
  /** Deletes the database; the last one takes the server along. */
  drop(): Promise<void>;
}

interface Server {
  readonly installation: ResolvedPostgres;
  readonly folder: Awaited<ReturnType<typeof tempFolder>>;
  running: RunningPostgres;
  readonly endWithParent: () => void;
}

let server: Promise<Server> | undefined;
let databases = 0;

const launch = (installation: ResolvedPostgres, folder: string, port = 0) =>
  startPostgres({ installation, dataDir: join(folder, 'postgres'), port });

/** The server's process first, so that it makes no more of those that come after. */
function signalAll({ pid }: RunningPostgres, signal: NodeJS.Signals): void {
  const send = (to: number) => {
    try {
      process.kill(to, signal);
    } catch {
      // It is gone already.
    }
  };
  send(pid);
  let children = '';
  try {
    children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8');
  } catch {
    // The server is gone, or this is not Linux.
  }
  for (const child of children.split(' ').filter(Boolean)) send(Number(child));
}

async function startServer(options: TestDatabaseOptions): Promise<Server> {
  const installation = await resolvePostgres(embeddedOptionsFromEnv(process.env));
  const given = options.folder;
  const folder = given ? { path: given, remove: async () => undefined } : await tempFolder();
  const started: Server = {
    installation,
    folder,
    running: await launch(installation, folder.path),
    endWithParent: () => {
      signalAll(started.running, 'SIGCONT');
      signalAll(started.running, 'SIGQUIT');
    },
  };
  process.once('exit', started.endWithParent);
  return started;
}

async function stopServer({ running, folder, endWithParent }: Server): Promise<void> {
  process.removeListener('exit', endWithParent);
  await running.stop();
  await folder.remove();
}

async function query<Row extends object>(url: string, sql: string, values: readonly unknown[] = []) {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 10_000 });
  client.on('error', () => {});
  try {
    await client.connect();
    return (await client.query<Row>(sql, [...values])).rows;
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** What a test may choose. */
export interface TestDatabaseOptions {
  /** Where the server keeps its files, if this call starts it; default: a folder of its own. */
  readonly folder?: string;
}

/** Makes a database; all of one test file share one server, which starts with the first. */
export async function testDatabase(options: TestDatabaseOptions = {}): Promise<TestDatabase> {
  databases += 1;
  server ??= startServer(options);
  const host = await server;
  const name = `test_${randomBytes(6).toString('hex')}`;
  const adminUrl = host.running.url;
  await query(adminUrl, `CREATE DATABASE ${name}`);
  const url = new URL(adminUrl);
  url.pathname = `/${name}`;
  let dropped = false;
  return {
    url: url.href,
    query: (sql, values) => query(url.href, sql, values),
    stop: () => host.running.stop(),
    kill: async () => {
      host.running.kill();
      await host.running.exited;
    },
    pause: () => signalAll(host.running, 'SIGSTOP'),
    resume: () => signalAll(host.running, 'SIGCONT'),
    start: async () => {
      host.running = await launch(host.installation, host.folder.path, host.running.port);
    },
    drop: async () => {
      if (dropped) return;
      dropped = true;
      databases -= 1;
      if (databases > 0) return void (await query(adminUrl, `DROP DATABASE ${name} WITH (FORCE)`));
      server = undefined;
      await stopServer(host);
    },
  };
}
