import { createHash, randomBytes } from 'node:crypto';
import { chmod, mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { identify } from '../processes.ts';
import { readState, writeState } from '../servers/state-file.ts';
import { trustedBase } from './native-copy.ts';
import { canPass, type RunAs } from './run-as.ts';

interface Origin {
  readonly dataDir: string;
  readonly id: string;
}

const BASES = ['/var/lib/earshot', join(tmpdir(), 'earshot-data')];

/**
 * Where the database's files go: `dataDir` itself, unless we are root and the user PostgreSQL runs as cannot pass through its
 * parents (a mode-700 home or mkdtemp folder, which we will not open up). Then a folder below /var/lib/earshot,
 * linked as `<dataDir>/moved-to` and removed by a later start once `dataDir` is gone.
 */
export async function placeOf(dataDir: string, runAs: RunAs | undefined): Promise<string> {
  if (runAs === undefined || canPass(dataDir, runAs)) return dataDir;
  const base = await trustedBase(BASES, runAs);
  await removeOrphans(base);
  const id = await idOf(dataDir);
  const place = join(base, createHash('sha256').update(`${dataDir}\0${id}`).digest('hex').slice(0, 16));
  await mkdir(place, { recursive: true });
  await chmod(place, 0o711);
  await writeState(join(place, 'origin.json'), { dataDir, id } satisfies Origin);
  await symlink(place, join(dataDir, 'moved-to')).catch(() => undefined);
  return place;
}

/** Made once per data folder, so that a deleted and newly made folder does not find the old database again. */
async function idOf(dataDir: string): Promise<string> {
  const path = join(dataDir, 'id');
  await writeFile(path, randomBytes(8).toString('hex'), { flag: 'wx', mode: 0o600 }).catch(() => undefined);
  return readFile(path, 'utf8');
}

/** Removes moved files whose data folder is gone or was made anew, unless a server still runs on them. */
export async function removeOrphans(base: string): Promise<void> {
  for (const name of await readdir(base)) {
    const place = join(base, name);
    const origin = await readState<Origin>(join(place, 'origin.json'));
    if (origin === undefined) continue;
    const id = await readFile(join(origin.dataDir, 'id'), 'utf8').catch(() => undefined);
    const pid = Number.parseInt(
      await readFile(join(place, 'data', 'postmaster.pid'), 'utf8').catch(() => ''),
      10,
    );
    if (id !== origin.id && identify(pid) === undefined) await rm(place, { recursive: true, force: true });
  }
}
