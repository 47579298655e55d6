import { chmod, cp, lstat, mkdir, mkdtemp, readdir, rename, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { EmbeddedError } from '../errors.ts';
import { withLock } from '../lock.ts';
import { canPass, type RunAs } from './run-as.ts';

/**
 * A copy of PostgreSQL's native folder that `user` can read, made once (61 MB) when the checkout lies below a private folder.
 * Only folders that belong to root and nobody else may write are trusted, as programs are run from there.
 */
export async function readableCopy(
  native: string,
  version: string,
  user: RunAs,
  cacheDir: string,
): Promise<string> {
  const base = await trustedBase([cacheDir, '/var/cache/earshot', join(tmpdir(), 'earshot-cache')], user);
  const target = join(base, `postgres-${version}-${process.platform}-${process.arch}`);
  return withLock(join(base, 'locks', 'postgres'), async () => {
    if (await sameSize(native, target)) return target;
    const draft = await mkdtemp(join(base, 'draft-postgres-'));
    try {
      const copy = join(draft, basename(target));
      await cp(native, copy, { recursive: true, verbatimSymlinks: true });
      await openUp(copy);
      await rename(target, join(draft, 'old')).catch(() => undefined);
      await rename(copy, target);
    } finally {
      await rm(draft, { recursive: true, force: true });
    }
    return target;
  });
}

/** The first folder that the user can pass through and that is safe to keep programs in; made when missing. */
export async function trustedBase(candidates: readonly string[], user: RunAs): Promise<string> {
  for (const folder of candidates) {
    if (!canPass(folder, user)) continue;
    const made = await mkdir(folder, { recursive: true }).catch(() => false as const);
    if (made === false) continue;
    if (made !== undefined) await chmod(folder, 0o755);
    const found = await lstat(folder);
    if (
      found.isDirectory() &&
      found.uid === process.getuid?.() &&
      (found.mode & 0o022) === 0 &&
      canPass(folder, user)
    ) {
      return folder;
    }
  }
  const problem = `PostgreSQL must run as ${user.name}, but there is no folder that ${user.name} can reach.`;
  throw new EmbeddedError('UNSUPPORTED_PLATFORM', problem, 'Start as an ordinary user, or set DATABASE_URL.');
}

async function sameSize(native: string, target: string): Promise<boolean> {
  const sizes = await Promise.all(
    [native, target].map((folder) => stat(join(folder, 'bin', 'postgres')).catch(() => undefined)),
  );
  return sizes[1] !== undefined && sizes[0]?.size === sizes[1].size;
}

async function openUp(folder: string): Promise<void> {
  await chmod(folder, 0o755);
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) await openUp(path);
    else if (entry.isFile()) await chmod(path, basename(folder) === 'bin' ? 0o755 : 0o644);
  }
}
