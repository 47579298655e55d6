import { join, resolve } from 'node:path';
import { EmbeddedError } from '../errors.ts';
import { withLock } from '../lock.ts';
import { choosePort } from '../servers/port.ts';
import {
  launch,
  type RunningServer,
  type ServerProcess,
  stopProcess,
  watch,
  whenReady,
} from '../servers/server.ts';
import { makeFolder, readState, writeState } from '../servers/state-file.ts';
import { waitFor } from '../wait.ts';
import { createCluster, DATABASE, ROLE, runPostgresTool } from './create-cluster.ts';
import { findLeftover } from './leftover.ts';
import { placeOf } from './place.ts';
import { probePostgres } from './probe.ts';
import type { ResolvedPostgres } from './resolve.ts';

/** How to run a PostgreSQL of our own. */
export interface PostgresOptions {
  readonly installation: ResolvedPostgres;
  /** Holds files, password and state; made when missing. One server per folder. */
  readonly dataDir: string;
  /** 0 (default): the port of last time when free, else any. Always on 127.0.0.1, never a Unix socket. */
  readonly port?: number;
  /** Default `<dataDir>/server.log`. */
  readonly logFile?: string;
  readonly readyTimeoutMs?: number;
  readonly log?: (line: string) => void;
}

/** A PostgreSQL that answers; `url` holds the password, `place` the folder of its files. */
export interface RunningPostgres extends RunningServer {
  readonly place: string;
}

interface Cluster {
  readonly folder: string;
  readonly place: string;
  readonly data: string;
  readonly password: string;
  readonly logFile: string;
}

/** Fast shutdown, then immediate, then by force. */
export const POSTGRES_SIGNALS: readonly NodeJS.Signals[] = ['SIGINT', 'SIGQUIT', 'SIGKILL'];

/** Starts PostgreSQL on a data folder (made at the first start), or adopts the one left running there. Resolves when it answers. */
export async function startPostgres(options: PostgresOptions): Promise<RunningPostgres> {
  const folder = resolve(options.dataDir);
  await makeFolder(folder);
  return withLock(join(folder, 'lock'), async () => {
    const place = await placeOf(folder, options.installation.runAs);
    if (place !== folder)
      options.log?.(`The database's files are in ${place}: ${folder} is closed to other users.`);
    const data = join(place, 'data');
    const leftover = await findLeftover(data);
    const password = await createCluster(options.installation, place, join(folder, 'password'));
    const cluster = { folder, place, data, password, logFile: options.logFile ?? join(folder, 'server.log') };
    const adopted = leftover && (await adopt(options, cluster, watch(leftover.identity), leftover.port));
    return adopted ?? start(options, cluster, 3);
  });
}

async function adopt(options: PostgresOptions, cluster: Cluster, server: ServerProcess, port: number) {
  const { pid } = server.identity;
  if ((options.port ?? 0) === 0 || options.port === port) {
    const answer = await waitFor(() => readyOn(port), { timeoutMs: 10_000 }).catch(() => undefined);
    if (answer !== undefined) {
      await writeState(join(cluster.folder, 'server.json'), { ...server.identity, port });
      options.log?.(`Using the PostgreSQL that runs already (process ${pid}, port ${port}).`);
      return handle(options, cluster, server, port, true);
    }
  }
  options.log?.(`Stopping a PostgreSQL left behind (process ${pid}).`);
  await stopProcess(server, POSTGRES_SIGNALS);
  return undefined;
}

async function start(options: PostgresOptions, cluster: Cluster, attempts: number): Promise<RunningPostgres> {
  const { runAs, postgres } = options.installation;
  const stateFile = join(cluster.folder, 'server.json');
  const before = await readState<{ port: number }>(stateFile);
  const port = await choosePort(options.port ?? 0, before?.port, '127.0.0.1');
  const args = ['-D', cluster.data, '-p', String(port), '-c', 'listen_addresses=127.0.0.1'];
  args.push('-c', 'unix_socket_directories=');
  const user = runAs === undefined ? {} : { uid: runAs.uid, gid: runAs.gid };
  const server = await launch({
    command: postgres,
    args,
    logFile: cluster.logFile,
    cwd: cluster.place,
    ...user,
  });
  await writeState(stateFile, { ...server.identity, port });
  const timeoutMs = options.readyTimeoutMs ?? 120_000;
  try {
    await whenReady(server, { name: 'PostgreSQL', logFile: cluster.logFile, timeoutMs }, () => readyOn(port));
  } catch (error) {
    // Either somebody took the port in between, or processes of a killed server are still ending.
    const passing = /address already in use|pre-existing shared memory/i.test(String(error));
    if (!passing || attempts <= 1) throw error;
    await writeState(stateFile, { port: 0 });
    return start(options, cluster, attempts - 1);
  }
  return handle(options, cluster, server, port, false);
}

async function readyOn(port: number): Promise<true | undefined> {
  const answer = await probePostgres(port, ROLE, DATABASE);
  if (answer === 'ready') return true;
  if (answer === undefined || answer === 'starting') return undefined;
  throw new EmbeddedError('DID_NOT_START', `The PostgreSQL on port ${port} refuses us: ${answer.refused}.`);
}

function handle(
  options: PostgresOptions,
  cluster: Cluster,
  server: ServerProcess,
  port: number,
  adopted: boolean,
): RunningPostgres {
  return {
    url: `postgres://${ROLE}:${cluster.password}@127.0.0.1:${port}/${DATABASE}`,
    port,
    pid: server.identity.pid,
    adopted,
    place: cluster.place,
    logFile: cluster.logFile,
    exited: server.exited,
    stop: async () => {
      if (process.platform === 'win32') {
        const { installation } = options;
        await runPostgresTool(installation, installation.pgCtl, [
          'stop',
          '-D',
          cluster.data,
          '-m',
          'fast',
          '-w',
        ]);
      }
      await stopProcess(server, POSTGRES_SIGNALS);
    },
    kill: () => void stopProcess(server, ['SIGKILL']),
  };
}
