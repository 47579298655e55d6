import { rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { withLock } from '../lock.ts';
import type { EmbeddedOptions } from '../options.ts';
import { resolveNatsServer } from '../pieces/nats-server.ts';
import { resolvePostgres } from '../postgres/resolve.ts';
import { POSTGRES_SIGNALS, type RunningPostgres, startPostgres } from '../postgres/start.ts';
import { NATS_SIGNALS, type RunningNatsServer, startNatsServer } from './nats-server.ts';
import { stopRecorded } from './server.ts';
import { makeFolder, writeState } from './state-file.ts';
import { livingUsers, register } from './users.ts';

/** Which servers to start or join below `home`. An address that is given is used as it is, and nothing started for it. */
export interface SharedServersOptions {
  readonly home: string;
  readonly options: EmbeddedOptions;
  readonly natsUrl?: string;
  readonly databaseUrl?: string;
  /** Only for a first start; those who join take what runs. 0 or unset: the port of last time, else any. */
  readonly natsPort?: number;
  readonly postgresPort?: number;
  readonly maxFileBytes?: number;
  readonly log?: (line: string) => void;
}

/** The servers of a home, shared by every process that joined. */
export interface SharedServers {
  readonly natsUrl: string;
  readonly databaseUrl: string;
  /** True when this call started at least one server. */
  readonly owned: boolean;
  /** Settles when a server ends although this process has not left; never rejects. A new call restarts it on the same data. */
  readonly exited: Promise<{ name: 'nats-server' | 'postgres'; code: number | null }>;
  /** Stops using the servers; the last living user stops them. Idempotent. */
  leave(): Promise<void>;
}

/**
 * Starts the servers of `home`, or joins those that run. Servers outlive the process that started them: only `leave` of the
 * last living user ends them, and users that were killed do not count. A server that died is started again on its data.
 */
export async function startOrJoinServers(wanted: SharedServersOptions): Promise<SharedServers> {
  const home = resolve(wanted.home);
  await makeFolder(home);
  const [natsBinary, installation] = await Promise.all([
    wanted.natsUrl === undefined ? resolveNatsServer(wanted.options) : undefined,
    wanted.databaseUrl === undefined ? resolvePostgres(wanted.options) : undefined,
  ]);
  return withLock(join(home, 'locks', 'servers'), async () => {
    const log = wanted.log === undefined ? {} : { log: wanted.log };
    await makeFolder(join(home, 'logs'));
    const others = (await livingUsers(home)).length > 0;
    const port = (own: number | undefined) => (others ? 0 : (own ?? 0));
    const [nats, postgres] = await settle(
      natsBinary &&
        startNatsServer({
          binary: natsBinary.path,
          dataDir: join(home, 'nats'),
          port: port(wanted.natsPort),
          logFile: join(home, 'logs', 'nats-server.log'),
          ...(wanted.maxFileBytes === undefined ? {} : { maxFileBytes: wanted.maxFileBytes }),
          ...log,
        }),
      installation &&
        startPostgres({
          installation,
          dataDir: join(home, 'postgres'),
          port: port(wanted.postgresPort),
          logFile: join(home, 'logs', 'postgres.log'),
          ...log,
        }),
    );
    const user = await register(home);
    await writeState(join(home, 'servers.json'), describe(nats, postgres));
    return shared(home, user, wanted, nats, postgres);
  });
}

/** Both or none: when one does not start, the other is stopped again if this call started it. */
async function settle(
  nats: Promise<RunningNatsServer> | undefined,
  postgres: Promise<RunningPostgres> | undefined,
): Promise<[RunningNatsServer | undefined, RunningPostgres | undefined]> {
  const [first, second] = await Promise.allSettled([nats, postgres]);
  if (first.status === 'fulfilled' && second.status === 'fulfilled') return [first.value, second.value];
  for (const result of [first, second]) {
    if (result.status === 'fulfilled' && result.value?.adopted === false) await result.value.stop();
  }
  throw first.status === 'rejected' ? first.reason : second.status === 'rejected' ? second.reason : undefined;
}

function describe(nats: RunningNatsServer | undefined, postgres: RunningPostgres | undefined) {
  return {
    ...(nats === undefined ? {} : { nats: { url: nats.url, pid: nats.pid } }),
    ...(postgres === undefined ? {} : { postgres: { url: postgres.url, pid: postgres.pid } }),
  };
}

function shared(
  home: string,
  user: string,
  wanted: SharedServersOptions,
  nats: RunningNatsServer | undefined,
  postgres: RunningPostgres | undefined,
): SharedServers {
  let left: Promise<void> | undefined;
  const leave = () =>
    withLock(join(home, 'locks', 'servers'), async () => {
      await rm(user, { force: true });
      if ((await livingUsers(home)).length > 0) return;
      await Promise.all([nats?.stop(), postgres?.stop()]);
      // A server that died was perhaps started anew by a later user, who has left before us.
      if (nats !== undefined) await stopRecorded(join(home, 'nats'), NATS_SIGNALS);
      if (postgres !== undefined) await stopRecorded(join(home, 'postgres'), POSTGRES_SIGNALS);
      await rm(join(home, 'servers.json'), { force: true });
    });
  const exited = new Promise<{ name: 'nats-server' | 'postgres'; code: number | null }>((done) => {
    const tell = (name: 'nats-server' | 'postgres') => (exit: { code: number | null }) => {
      if (left === undefined) done({ name, code: exit.code });
    };
    void nats?.exited.then(tell('nats-server'));
    void postgres?.exited.then(tell('postgres'));
  });
  return {
    natsUrl: wanted.natsUrl ?? nats?.url ?? '',
    databaseUrl: wanted.databaseUrl ?? postgres?.url ?? '',
    owned: nats?.adopted === false || postgres?.adopted === false,
    exited,
    leave: () => {
      left ??= leave();
      return left;
    },
  };
}
