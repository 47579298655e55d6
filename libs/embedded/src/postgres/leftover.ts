import { readFile, readlink, realpath, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { identify, type ProcessIdentity } from '../processes.ts';

/** A PostgreSQL server that already runs on our files. */
export interface Leftover {
  readonly identity: ProcessIdentity;
  readonly port: number;
}

/**
 * The server postmaster.pid speaks of, when it lives and works in this data folder. A file that names a dead process,
 * or on Linux one that is something else by now, is removed, as PostgreSQL would refuse to start because of the latter.
 */
export async function findLeftover(data: string): Promise<Leftover | undefined> {
  const path = join(data, 'postmaster.pid');
  const text = await readFile(path, 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  const [pid, , , port] = text.split('\n').map((line) => Number.parseInt(line, 10));
  const identity = identify(pid ?? 0);
  if (identity !== undefined && (await worksIn(identity.pid, data))) return { identity, port: port ?? 0 };
  await rm(path, { force: true });
  return undefined;
}

async function worksIn(pid: number, data: string): Promise<boolean> {
  if (process.platform !== 'linux') return true;
  try {
    return (await readlink(`/proc/${pid}/cwd`)) === (await realpath(data));
  } catch {
    // Another user's process: ours would be readable.
    return false;
  }
}
