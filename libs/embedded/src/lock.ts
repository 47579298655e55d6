import { randomBytes } from 'node:crypto';
import { link, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { codeOf, EmbeddedError } from './errors.ts';
import { isAlive, ownIdentity, type ProcessIdentity } from './processes.ts';
import { waitFor } from './wait.ts';

const NOBODY: ProcessIdentity = { pid: 0, start: '' };

/** How long to wait for the holder (default 15 minutes) and whom to tell after the first second. */
export interface LockOptions {
  readonly timeoutMs?: number;
  readonly onWait?: (holder: number) => void;
}

/**
 * Runs `work` while no other process (or other call here) holds `folder`. A holder that died is taken over at once.
 * The folder holds numbered owner files; the highest number owns the lock and is never deleted, only replaced,
 * so two takers of the same dead lock cannot both win. Throws BUSY when the wait is over.
 */
export async function withLock<T>(
  folder: string,
  work: () => Promise<T>,
  options: LockOptions = {},
): Promise<T> {
  await mkdir(folder, { recursive: true });
  const started = performance.now();
  let told = false;
  const mine = await waitFor(
    async () => {
      const attempt = await tryTake(folder);
      if (typeof attempt === 'number') return attempt;
      if (!told && attempt !== undefined && performance.now() - started > 1000) {
        told = true;
        options.onWait?.(attempt.pid);
      }
      return undefined;
    },
    { timeoutMs: options.timeoutMs ?? 15 * 60_000, everyMs: 50 },
  );
  if (mine === undefined) throw new EmbeddedError('BUSY', `Another process holds ${folder} for too long.`);
  try {
    return await work();
  } finally {
    // Fails only when somebody deleted the folder, and the lock with it.
    await put(folder, NOBODY, (draft) => rename(draft, join(folder, String(mine)))).catch(() => undefined);
  }
}

/** Our number when taken, the living holder when not, undefined when somebody was faster. */
async function tryTake(folder: string): Promise<number | ProcessIdentity | undefined> {
  const last = Math.max(0, ...(await numbers(folder)));
  const holder = last === 0 ? undefined : await readOwner(join(folder, String(last)));
  if (holder !== undefined && isAlive(holder)) return holder;
  const next = last + 1;
  const path = join(folder, String(next));
  try {
    await put(folder, ownIdentity(), (draft) => link(draft, path));
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return undefined;
    throw error;
  }
  const all = await numbers(folder);
  if (Math.max(...all) !== next) {
    await rm(path, { force: true });
    return undefined;
  }
  for (const old of all) if (old < next) await rm(join(folder, String(old)), { force: true });
  return next;
}

async function numbers(folder: string): Promise<number[]> {
  return (await readdir(folder)).filter((name) => /^\d+$/.test(name)).map(Number);
}

async function readOwner(path: string): Promise<ProcessIdentity | undefined> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as ProcessIdentity;
  } catch {
    return undefined;
  }
}

/** Writes the owner beside the lock and lets `place` move it there whole, so nobody reads half a file. */
async function put(folder: string, owner: ProcessIdentity, place: (draft: string) => Promise<void>) {
  const draft = join(folder, `draft-${process.pid}-${randomBytes(4).toString('hex')}`);
  await writeFile(draft, JSON.stringify(owner));
  try {
    await place(draft);
  } finally {
    await rm(draft, { force: true });
  }
}
