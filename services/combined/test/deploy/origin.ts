import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, open, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { eventually, freePort, tempFolder } from '@earshot/testkit';
import { type NameServer, startNameServer } from './name-server.ts';

export const CONFIG = 'deploy/nginx/nginx.conf';

export interface OriginOptions {
  /** The path of nginx. */
  readonly nginx: string;
  /** The text of the configuration. */
  readonly config: string;
  /** The ports of the services, by the names that the configuration has for them. */
  readonly ports: Readonly<Record<string, number>>;
}

/** nginx in front of services, with a configuration of ours. */
export interface Origin {
  readonly url: string;
  readonly port: number;
  readonly names: NameServer;
  /** Files in the folders that nginx may write to. */
  tempFiles(): Promise<string[]>;
  /** What it logged so far. */
  log(): Promise<string>;
  close(): Promise<void>;
}

/**
 * Runs nginx with a configuration of compose. Changed are only: where it listens, the ports of the services, where names are
 * looked up, and the folder for what it writes.
 */
export async function startOrigin({ nginx, config, ports }: OriginOptions): Promise<Origin> {
  const folder = await tempFolder();
  const port = await freePort();
  const addresses = Object.fromEntries(Object.keys(ports).map((name) => [name, '127.0.0.1']));
  const names = await startNameServer(addresses);
  const temp = join(folder.path, 'tmp');
  await mkdir(temp);
  let placed = config
    .replace('listen 8080;', `listen 127.0.0.1:${port};`)
    .replace('resolver 127.0.0.11 ', `resolver 127.0.0.1:${names.port} `)
    .replaceAll(' /tmp/', ` ${temp}/`);
  for (const [name, to] of Object.entries(ports))
    placed = placed.replace(`http://${name}:8080;`, `http://${name}:${to};`);
  const file = join(folder.path, 'nginx.conf');
  await writeFile(file, placed);
  // A file, because nginx opens its standard output by name, which cannot be done with a pipe of Node.
  const [logFile, log] = [join(folder.path, 'log'), await open(join(folder.path, 'log'), 'a')];
  const args = ['-e', 'stderr', '-c', file, '-g', 'daemon off;'];
  const server = spawn(nginx, args, { stdio: ['ignore', log.fd, log.fd] });
  const ended = once(server, 'exit');
  const said = () => readFile(logFile, 'utf8');
  const url = `http://127.0.0.1:${port}`;
  await eventually('the origin to live', async () => {
    if (server.exitCode !== null) throw new Error(await said());
    return (await fetch(`${url}/livez`)).ok;
  });
  return {
    ...{ url, port, names, log: said },
    tempFiles: async () => {
      const entries = await readdir(temp, { recursive: true, withFileTypes: true });
      return entries.filter((entry) => entry.isFile() && entry.name !== 'nginx.pid').map(({ name }) => name);
    },
    close: async () => {
      server.kill('SIGTERM');
      await ended;
      names.close();
      await log.close();
      await folder.remove();
    },
  };
}
