import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { eventually } from './eventually.ts';
import { freePort } from './free-port.ts';
import { natsServerBinary } from './nats-server-binary.ts';
import { tempFolder } from './temp-folder.ts';

/** Three nats-servers that are one cluster; `dispose` ends them and deletes their stores. */
export interface TestCluster {
  /** Where clients connect. */
  readonly urls: readonly string[];
  /** Where each server tells of itself, by its name: `nats-0` to `nats-2`. */
  readonly monitorUrls: ReadonlyMap<string, string>;
  dispose(): Promise<void>;
}

interface Node {
  readonly name: string;
  readonly port: number;
  readonly monitorPort: number;
  readonly routePort: number;
}

/** As the official chart has it, no server advertises its address. */
const configOf = (node: Node, nodes: readonly Node[], store: string) => `
server_name: "${node.name}"
listen: "127.0.0.1:${node.port}"
http: "127.0.0.1:${node.monitorPort}"
jetstream { store_dir: "${store}", max_memory_store: 64MB, max_file_store: 2GB }
cluster {
  name: nats
  listen: "127.0.0.1:${node.routePort}"
  no_advertise: true
  routes: [${nodes.map(({ routePort }) => `"nats://127.0.0.1:${routePort}"`).join(', ')}]
}
accounts { EARSHOT { jetstream { max_mem: 16MB, max_file: 512MB }, users: [{ user: earshot, password: earshot }] } }
no_auth_user: earshot
`;

/** Starts three real nats-servers with JetStream and resolves when they have agreed on a leader. */
export async function startTestCluster(): Promise<TestCluster> {
  const binary = await natsServerBinary();
  const folder = await tempFolder();
  const nodes: Node[] = [];
  for (const name of ['nats-0', 'nats-1', 'nats-2'])
    nodes.push({ name, port: await freePort(), monitorPort: await freePort(), routePort: await freePort() });
  const children = await Promise.all(
    nodes.map(async (node) => {
      const file = join(folder.path, `${node.name}.conf`);
      await writeFile(file, configOf(node, nodes, join(folder.path, node.name)));
      return spawn(binary, ['-c', file, '-l', join(folder.path, `${node.name}.log`)], { stdio: 'ignore' });
    }),
  );
  const endWithParent = () => children.forEach((child) => void child.kill('SIGKILL'));
  process.once('exit', endWithParent);
  const monitorUrls = new Map(nodes.map((node) => [node.name, `http://127.0.0.1:${node.monitorPort}`]));
  const dispose = async () => {
    process.removeListener('exit', endWithParent);
    await Promise.all(children.map(end));
    await folder.remove();
  };
  try {
    await eventually(
      'three servers to agree on a leader',
      async () => {
        if (children.some(({ exitCode }) => exitCode !== null)) throw new Error('a nats-server ended');
        const agreed = await Promise.all([...monitorUrls.values()].map(hasLeader));
        return agreed.every(Boolean);
      },
      60_000,
    );
  } catch (error) {
    await dispose();
    throw error;
  }
  return { urls: nodes.map(({ port }) => `nats://127.0.0.1:${port}`), monitorUrls, dispose };
}

async function hasLeader(url: string): Promise<boolean> {
  const answer = await fetch(`${url}/jsz`).catch(() => undefined);
  const { meta_cluster } = ((await answer?.json()) ?? {}) as {
    meta_cluster?: { leader?: string; cluster_size: number };
  };
  return Boolean(meta_cluster?.leader) && meta_cluster?.cluster_size === 3;
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
}
