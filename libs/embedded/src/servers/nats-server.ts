import { randomBytes } from 'node:crypto';
import { join, resolve } from 'node:path';
import { EmbeddedError } from '../errors.ts';
import { withLock } from '../lock.ts';
import { isAlive, type ProcessIdentity } from '../processes.ts';
import { waitFor } from '../wait.ts';
import { defaultMaxFileBytes, natsConfigText } from './nats-config.ts';
import { natsInfo } from './nats-info.ts';
import { choosePort } from './port.ts';
import { launch, type RunningServer, type ServerProcess, stopProcess, watch, whenReady } from './server.ts';
import { makeFolder, readState, writePrivate, writeState } from './state-file.ts';

/** How to run a nats-server of our own. */
export interface NatsServerOptions {
  readonly binary: string;
  /** Holds store, nats.conf and state; made when missing. One server per folder. */
  readonly dataDir: string;
  /** 0 (default): the port of last time when free, else any. */
  readonly port?: number;
  readonly host?: string;
  /** JetStream's disk limit, bytes. Default: that of the first start here: 25 % of the free disk, at most 10 GB. */
  readonly maxFileBytes?: number;
  /** Serve /varz, /jsz, … on a free loopback port. Default false. */
  readonly monitor?: boolean;
  /** Default `<dataDir>/server.log`. */
  readonly logFile?: string;
  readonly readyTimeoutMs?: number;
  readonly log?: (line: string) => void;
}

/** A nats-server that answers. */
export interface RunningNatsServer extends RunningServer {
  readonly monitorUrl?: string;
  readonly configPath: string;
}

interface State extends ProcessIdentity {
  readonly name: string;
  readonly port: number;
  readonly monitorPort?: number;
  readonly maxFileBytes: number;
}

/** How nats-server is asked to end. */
export const NATS_SIGNALS: readonly NodeJS.Signals[] = ['SIGTERM', 'SIGKILL'];

/** Starts nats-server on a data folder, or adopts the one an earlier process left there. Resolves when JetStream answers. */
export async function startNatsServer(options: NatsServerOptions): Promise<RunningNatsServer> {
  const folder = resolve(options.dataDir);
  await makeFolder(folder);
  return withLock(join(folder, 'lock'), async () => {
    const before = await readState<State>(join(folder, 'server.json'));
    return (await adopt(options, folder, before)) ?? start(options, folder, before, 3);
  });
}

async function adopt(options: NatsServerOptions, folder: string, state: State | undefined) {
  if (state === undefined || !isAlive(state)) return undefined;
  const { host = '127.0.0.1', port = 0 } = options;
  const server = watch(state);
  const fits = (port === 0 || port === state.port) && (!options.monitor || state.monitorPort !== undefined);
  const info = fits ? await waitFor(() => readyAs(state, host), { timeoutMs: 10_000 }) : undefined;
  if (info !== undefined) {
    options.log?.(`Using the nats-server that runs already (process ${state.pid}, port ${state.port}).`);
    return handle(options, folder, server, state, true);
  }
  options.log?.(`Stopping a nats-server left behind (process ${state.pid}).`);
  await stopProcess(server, NATS_SIGNALS);
  return undefined;
}

async function start(
  options: NatsServerOptions,
  folder: string,
  before: State | undefined,
  attempts: number,
): Promise<RunningNatsServer> {
  const { host = '127.0.0.1', port: wanted = 0 } = options;
  const name = before?.name ?? `earshot-${randomBytes(4).toString('hex')}`;
  const port = await choosePort(wanted, before?.port, host);
  const monitorPort = options.monitor ? await choosePort(0, before?.monitorPort, '127.0.0.1') : undefined;
  // Free disk shrinks as the store fills: a limit computed anew would one day be below what the streams have reserved.
  const maxFileBytes = options.maxFileBytes ?? before?.maxFileBytes ?? (await defaultMaxFileBytes(folder));
  const storeDir = join(folder, 'store');
  const configPath = join(folder, 'nats.conf');
  await writePrivate(configPath, natsConfigText({ name, host, port, monitorPort, storeDir, maxFileBytes }));
  const logFile = options.logFile ?? join(folder, 'server.log');
  const server = await launch({ command: options.binary, args: ['-c', configPath], logFile });
  const state = {
    ...server.identity,
    name,
    port,
    maxFileBytes,
    ...(monitorPort === undefined ? {} : { monitorPort }),
  };
  await writeState(join(folder, 'server.json'), state);
  const timeoutMs = options.readyTimeoutMs ?? 120_000;
  try {
    await whenReady(server, { name: 'nats-server', logFile, timeoutMs }, () => readyAs(state, host));
  } catch (error) {
    const raced = error instanceof EmbeddedError && /address already in use/i.test(error.message);
    if (raced && wanted === 0 && attempts > 1)
      return start(options, folder, { ...state, port: 0 }, attempts - 1);
    throw error;
  }
  return handle(options, folder, server, state, false);
}

/** Only the server with our name counts: somebody else may have got the port. */
async function readyAs({ name, port }: State, host: string) {
  const info = await natsInfo(port, host);
  return info?.server_name === name && info.jetstream === true ? info : undefined;
}

function handle(
  options: NatsServerOptions,
  folder: string,
  server: ServerProcess,
  state: State,
  adopted: boolean,
): RunningNatsServer {
  const { host = '127.0.0.1' } = options;
  return {
    url: `nats://${host}:${state.port}`,
    port: state.port,
    pid: state.pid,
    adopted,
    ...(state.monitorPort === undefined ? {} : { monitorUrl: `http://127.0.0.1:${state.monitorPort}` }),
    configPath: join(folder, 'nats.conf'),
    logFile: options.logFile ?? join(folder, 'server.log'),
    exited: server.exited,
    stop: () => stopProcess(server, NATS_SIGNALS),
    kill: () => void stopProcess(server, ['SIGKILL']),
  };
}
