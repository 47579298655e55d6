import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { platform } from 'node:os';
import { join } from 'node:path';
import { eventually } from './eventually.ts';
import { freePort } from './free-port.ts';
import type { NatsPermissions } from './nats-operator.ts';
import { natsServerBinary } from './nats-server-binary.ts';
import { tempFolder } from './temp-folder.ts';

/** A nats-server of one test file; `dispose` ends it and deletes its store. */
export interface TestBroker {
  readonly url: string;
  readonly port: number;
  /** Where it tells of itself (`/varz`, `/jsz`), if it was started `monitored`. */
  readonly monitorUrl: string;
  /** Ends the server without warning (SIGKILL). Does nothing when it is down. */
  kill(): Promise<void>;
  /** Starts it again on the same port and store, and waits until it answers. */
  start(): Promise<void>;
  /** Ends the server without warning and deletes its store: the next start finds nothing. */
  loseStore(): Promise<void>;
  /** SIGSTOP: connections stay open and nothing answers from now on, until `resume`. */
  pause(): void;
  resume(): void;
  /** Changes who may come in while it runs, as an operator does; those who may no longer are disconnected. */
  setUsers(users: Readonly<Record<string, string>>): Promise<void>;
  /** The same for a server that was given `access`: replaces those lines. Certificates are read again too. */
  setAccess(access: string): Promise<void>;
  /** All that it logged so far: refused subjects are named as `Violation`. */
  log(): Promise<string>;
  dispose(): Promise<void>;
}

/** What a test may choose; sizes are bytes. */
export interface TestBrokerOptions {
  /** The account's `max_file`; `unset` leaves it to the server. Default 512 MB. */
  readonly maxFile?: number | 'unset';
  /** Default true. */
  readonly jetstream?: boolean;
  /** Passwords by user. Default: anybody may come in. */
  readonly users?: Readonly<Record<string, string>>;
  /** What some of `users` may do; the others may do all. */
  readonly permissions?: Readonly<Record<string, NatsPermissions>>;
  /** Who of `users` one is without a name and a password. Default: none. */
  readonly guest?: string;
  /** Lines of the server file that say who may come in and how, e.g. by TLS, instead of `users` and the account. */
  readonly access?: string;
  /** false when clients must begin with the TLS handshake, before the server says a word. Default true. */
  readonly greets?: boolean;
  /** false leaves the server to be started by the test. Default true. */
  readonly started?: boolean;
  /** Answers on `monitorUrl`. Default false. */
  readonly monitored?: boolean;
  /** Every write is on disk before it is acknowledged, as in production. Default true. */
  readonly syncAlways?: boolean;
}

const accountLimits = (maxFile: number | 'unset' = 512 * 1024 * 1024) =>
  maxFile === 'unset' ? 'jetstream: enabled' : `jetstream { max_mem: 16MB, max_file: ${maxFile} }`;

interface Places {
  readonly port: number;
  readonly monitorPort: number;
  readonly store: string;
}

const jetstreamOf = (store: string, { syncAlways = true }: TestBrokerOptions) =>
  `jetstream { store_dir: "${store}", ${syncAlways ? 'sync_interval: always, ' : ''}max_memory_store: 64MB, max_file_store: 2GB }`;

const configOf = ({ port, monitorPort, store }: Places, options: TestBrokerOptions) => `
listen: "127.0.0.1:${port}"
${options.monitored ? `http: "127.0.0.1:${monitorPort}"` : ''}
server_name: "test-${port}"
max_payload: 1MB
ping_interval: "10s"
${options.jetstream === false ? '' : jetstreamOf(store, options)}
${options.access ?? accountsOf(options)}
`;

function accountsOf(options: TestBrokerOptions): string {
  const { users = { earshot: 'earshot' }, permissions = {} } = options;
  const guest = options.users ? options.guest : 'earshot';
  const lines = Object.entries(users).map(([user, password]) =>
    JSON.stringify({ user, password, permissions: permissions[user] }),
  );
  return `
accounts {
  EARSHOT {
    ${options.jetstream === false ? '' : `${accountLimits(options.maxFile)}`}
    users: [${lines.join(', ')}]
  }
}
${guest ? `no_auth_user: ${guest}` : ''}
`;
}

/** True once the server at `port` takes a new connection and, if it `greets`, says a word. */
function answers(port: number, greets: boolean): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const finish = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    if (!greets) socket.once('connect', () => finish(true));
    socket.once('data', (data) => finish(data.toString().startsWith('INFO ')));
    socket.once('error', () => finish(false));
  });
}

/** A stop signal takes effect a moment later; only Linux shows when. */
function waitUntilStopped(pid: number): void {
  const giveUpAt = performance.now() + 1_000;
  while (platform() === 'linux' && performance.now() < giveUpAt) {
    if (/\) T /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))) return;
  }
}

/** Starts a real nats-server with JetStream on a free port and a store of its own. */
export async function startTestBroker(options: TestBrokerOptions = {}): Promise<TestBroker> {
  const binary = await natsServerBinary();
  const folder = await tempFolder();
  const [port, monitorPort] = [await freePort(), await freePort()];
  const config = join(folder.path, 'nats.conf');
  const store = join(folder.path, 'store');
  const configure = (changed: TestBrokerOptions = {}) =>
    writeFile(config, configOf({ port, monitorPort, store }, { ...options, ...changed }));
  await configure();
  let child: ChildProcess | undefined;
  const endWithParent = () => child?.kill('SIGKILL');
  process.once('exit', endWithParent);

  const start = async () => {
    child = spawn(binary, ['-c', config, '-l', join(folder.path, 'nats.log')], { stdio: 'ignore' });
    await eventually('nats-server to answer', () => {
      if (child?.exitCode !== null) throw new Error(`nats-server ended with code ${child?.exitCode}`);
      return answers(port, options.greets ?? true);
    });
  };
  const kill = async () => {
    const ending = child;
    child = undefined;
    if (!ending || ending.exitCode !== null || ending.signalCode !== null) return;
    const gone = once(ending, 'exit');
    ending.kill('SIGKILL');
    await gone;
  };
  const reload = async (changed: TestBrokerOptions) => {
    await configure(changed);
    child?.kill('SIGHUP');
  };
  if (options.started !== false) await start();
  return {
    url: `nats://127.0.0.1:${port}`,
    port,
    monitorUrl: `http://127.0.0.1:${monitorPort}`,
    start,
    kill,
    loseStore: async () => {
      await kill();
      await rm(store, { recursive: true, force: true });
    },
    pause: () => {
      child?.kill('SIGSTOP');
      if (child?.pid) waitUntilStopped(child.pid);
    },
    resume: () => void child?.kill('SIGCONT'),
    setUsers: (users) => reload({ users }),
    setAccess: (access) => reload({ access }),
    log: () => readFile(join(folder.path, 'nats.log'), 'utf8'),
    dispose: async () => {
      process.removeListener('exit', endWithParent);
      await kill();
      await folder.remove();
    },
  };
}
