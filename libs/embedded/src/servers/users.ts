import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isAlive, ownIdentity, type ProcessIdentity } from '../processes.ts';
import { readState, writeState } from './state-file.ts';

let joined = 0;

/** Registers this process as a user of a home's servers; returns its file, to be deleted when it leaves. */
export async function register(home: string): Promise<string> {
  const folder = join(home, 'users');
  await mkdir(folder, { recursive: true });
  joined += 1;
  const path = join(folder, `${process.pid}-${joined}`);
  await writeState(path, ownIdentity());
  return path;
}

/** The living users; files of dead ones (kill -9, power cut) are removed on the way. Call it under the home's lock. */
export async function livingUsers(home: string): Promise<ProcessIdentity[]> {
  const folder = join(home, 'users');
  const living: ProcessIdentity[] = [];
  for (const name of await readdir(folder).catch(() => [])) {
    // Names with a dot are files just being written.
    if (name.includes('.')) continue;
    const path = join(folder, name);
    const user = await readState<ProcessIdentity>(path);
    if (user !== undefined && isAlive(user)) living.push(user);
    else await rm(path, { force: true });
  }
  return living;
}
