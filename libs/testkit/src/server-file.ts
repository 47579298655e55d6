import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { eventually } from './eventually.ts';
import { freePort } from './free-port.ts';
import { natsServerBinary } from './nats-server-binary.ts';
import { tempFolder } from './temp-folder.ts';

/** A nats-server that runs a server file of ours; `dispose` ends it and deletes its store. */
export interface ServerOfFile {
  readonly url: string;
  readonly port: number;
  /** All that it logged so far: refused subjects are named as `Violation`. */
  log(): Promise<string>;
  dispose(): Promise<void>;
}

/** Runs the server file at `path` as it is, but on free ports and with a store of its own. `env` has its variables. */
export async function startServerFile(path: string, env: Record<string, string>): Promise<ServerOfFile> {
  const folder = await tempFolder();
  const port = await freePort();
  const monitorPort = await freePort();
  const [file, logFile] = [join(folder.path, 'nats-server.conf'), join(folder.path, 'log')];
  const committed = await readFile(path, 'utf8');
  const placed = committed
    .replace('0.0.0.0:4222', `127.0.0.1:${port}`)
    .replace('0.0.0.0:8222', `127.0.0.1:${monitorPort}`)
    .replace('"/data"', JSON.stringify(join(folder.path, 'store')));
  await writeFile(file, placed);
  const server = spawn(await natsServerBinary(), ['--config', file, '--log', logFile], {
    stdio: 'ignore',
    env,
  });
  const log = () => readFile(logFile, 'utf8').catch(() => '');
  await eventually('nats-server to be ready', async () => {
    const said = await log();
    if (server.exitCode !== null) throw new Error(`nats-server ended: ${said}`);
    return said.includes('Server is ready');
  });
  return {
    url: `nats://127.0.0.1:${port}`,
    port,
    log,
    dispose: async () => {
      server.kill('SIGKILL');
      if (server.exitCode === null && server.signalCode === null) await once(server, 'exit');
      await folder.remove();
    },
  };
}
