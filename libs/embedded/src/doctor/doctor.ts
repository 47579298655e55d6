import { statfs } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { messageOf } from '../errors.ts';
import { findPython } from '../fetch/python.ts';
import { findOnPath } from '../find-on-path.ts';
import type { EmbeddedOptions } from '../options.ts';
import { run } from '../run.ts';
import { isPortFree } from '../servers/port.ts';
import { readState } from '../servers/state-file.ts';
import { livingUsers } from '../servers/users.ts';
import { pieceRows } from './piece-rows.ts';

/** One line of the doctor's report. `problem` means something required is missing and cannot be had; `help` says what to do. */
export interface DoctorRow {
  readonly part: string;
  readonly found: boolean;
  readonly version?: string;
  readonly where?: string;
  readonly source?: string;
  readonly problem?: string;
  readonly help?: string;
}

/** What the doctor looks at besides the pieces. */
export interface DoctorOptions {
  readonly options: EmbeddedOptions;
  readonly home: string;
  /** The port of the API; embedded servers take any free one. Default 8080. */
  readonly port?: number;
}

const OLDEST_NODE = [20, 19] as const;

/** Looks at this machine without downloading or starting anything. Every row is filled even when others fail. */
export async function doctor({ options, home, port = 8080 }: DoctorOptions): Promise<DoctorRow[]> {
  const python = await findPython(options.env);
  return [
    nodeRow(),
    await npmRow(options),
    {
      part: 'Python with pip',
      found: python !== undefined,
      ...(python === undefined
        ? { help: 'Not needed: downloads then come straight from the package index.' }
        : { version: python.version, where: python.command }),
    },
    ...(await pieceRows(options)),
    await folderRow('cache', options.cacheDir),
    await folderRow('data', resolve(home)),
    await portRow(port),
    await serversRow(home),
  ];
}

function nodeRow(): DoctorRow {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const fits = major > OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor >= OLDEST_NODE[1]);
  const row = { part: 'Node', found: true, version: process.versions.node, where: process.execPath };
  const problem = `older than ${OLDEST_NODE.join('.')}`;
  return { ...row, source: `${process.platform}-${process.arch}`, ...(fits ? {} : { problem }) };
}

async function npmRow({ env }: EmbeddedOptions): Promise<DoctorRow> {
  const [where] = await findOnPath('npm', env);
  if (where === undefined)
    return { part: 'npm', found: false, problem: 'not on PATH', help: 'It comes with Node.' };
  const told = await run(where, ['--version'], { env, timeoutMs: 20_000 }).catch(() => undefined);
  return { part: 'npm', found: true, version: told?.stdout.trim() ?? 'unknown', where };
}

async function folderRow(name: string, folder: string): Promise<DoctorRow> {
  for (let here = folder; ; here = dirname(here)) {
    try {
      const { bavail, bsize } = await statfs(here);
      const free = `${((bavail * bsize) / 1e9).toFixed(1)} GB free`;
      const little = bavail * bsize < 1e9;
      return {
        part: name,
        found: here === folder,
        where: folder,
        version: free,
        ...(little ? { problem: free } : {}),
      };
    } catch (error) {
      if (dirname(here) === here)
        return { part: name, found: false, where: folder, problem: messageOf(error) };
    }
  }
}

async function portRow(port: number): Promise<DoctorRow> {
  const free = await isPortFree(port);
  return { part: `port ${port}`, found: true, version: free ? 'free' : 'in use' };
}

async function serversRow(home: string): Promise<DoctorRow> {
  const state = await readState<Record<string, { pid: number }>>(resolve(home, 'servers.json'));
  const users = await livingUsers(resolve(home));
  const running = Object.entries(state ?? {}).map(([name, { pid }]) => `${name} (process ${pid})`);
  const by = users.length > 0 ? `, used by ${users.map(({ pid }) => pid).join(', ')}` : '';
  return {
    part: 'shared servers',
    found: running.length > 0,
    version: running.join(', ') + by || 'none running',
  };
}
