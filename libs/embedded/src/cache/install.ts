import { mkdir, mkdtemp, open, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf } from '../errors.ts';
import { withLock } from '../lock.ts';
import type { EmbeddedOptions } from '../options.ts';
import type { Part } from '../progress.ts';
import { isComplete, type PinnedFile, writeManifest } from './manifest.ts';

/** A cacheable piece: its folder is `<cacheDir>/<part>-<label>`, the label holding version and platform. */
export interface CachedPiece {
  readonly part: Part;
  readonly label: string;
  readonly files: readonly PinnedFile[];
}

/** The piece's folder when it is complete and unchanged, else undefined. Downloads nothing. */
export async function lookUp(cacheDir: string, piece: CachedPiece): Promise<string | undefined> {
  const folder = folderOf(cacheDir, piece);
  return (await isComplete(folder, piece.files)) ? folder : undefined;
}

/**
 * The piece's folder, filled by `fill(draft, scratch)` when it is missing or damaged. `fill` must verify what it writes.
 * One process fills at a time; the folder appears whole or not at all, also after a power cut.
 */
export async function lookUpOrInstall(
  options: EmbeddedOptions,
  piece: CachedPiece,
  fill: (draft: string, scratch: string) => Promise<void>,
): Promise<{ folder: string; source: 'cache' | 'fetched' }> {
  const { cacheDir, report } = options;
  const present = await lookUp(cacheDir, piece);
  if (present !== undefined) return { folder: present, source: 'cache' };
  const onWait = (pid: number) => {
    if (pid === process.pid) return;
    const message = `Waiting for process ${pid} to fetch ${piece.part}`;
    report?.({ part: piece.part, phase: 'download', message });
  };
  return withLock(
    join(cacheDir, 'locks', piece.part),
    async () => {
      const meanwhile = await lookUp(cacheDir, piece);
      if (meanwhile !== undefined) return { folder: meanwhile, source: 'cache' };
      return { folder: await install(cacheDir, piece, fill), source: 'fetched' };
    },
    { onWait },
  );
}

async function install(
  cacheDir: string,
  piece: CachedPiece,
  fill: (draft: string, scratch: string) => Promise<void>,
): Promise<string> {
  const prefix = `draft-${piece.part}-`;
  await removeDrafts(cacheDir, prefix);
  const scratch = await mkdtemp(join(cacheDir, prefix));
  try {
    const draft = join(scratch, 'piece');
    await mkdir(draft);
    await fill(draft, scratch);
    await writeManifest(draft, piece.files);
    await syncFolder(draft);
    const folder = folderOf(cacheDir, piece);
    await rename(folder, join(scratch, 'damaged')).catch(() => undefined);
    await rename(draft, folder);
    await syncFolder(cacheDir);
    return folder;
  } finally {
    await rm(scratch, { recursive: true, force: true }).catch((error) => messageOf(error));
  }
}

/** Under the piece's lock every older draft is somebody's interrupted download. */
async function removeDrafts(cacheDir: string, prefix: string): Promise<void> {
  for (const name of await readdir(cacheDir)) {
    if (name.startsWith(prefix)) await rm(join(cacheDir, name), { recursive: true, force: true });
  }
}

async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function folderOf(cacheDir: string, piece: CachedPiece): string {
  return join(cacheDir, `${piece.part}-${piece.label}`);
}
