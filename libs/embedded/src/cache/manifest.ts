import { open, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { hashFile } from '../hash.ts';

/** A file that must lie in a cache folder, with the only content that is accepted. */
export interface PinnedFile {
  readonly name: string;
  readonly sha256: string;
}

interface Known {
  readonly size: number;
  readonly mtimeMs: number;
  readonly sha256: string;
}

const MANIFEST = 'manifest.json';

/** Records size, time and hash of files just verified, so that later checks need not read them again. */
export async function writeManifest(folder: string, files: readonly PinnedFile[]): Promise<void> {
  const known: Record<string, Known> = {};
  for (const { name, sha256 } of files) {
    const { size, mtimeMs } = await stat(join(folder, name));
    known[name] = { size, mtimeMs, sha256 };
  }
  const file = await open(join(folder, MANIFEST), 'w');
  try {
    await file.writeFile(JSON.stringify(known, null, 2));
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Whether every pinned file is there unchanged: by size and time when the manifest knows them, else by hash. */
export async function isComplete(folder: string, files: readonly PinnedFile[]): Promise<boolean> {
  const known = await readManifest(folder);
  if (known === undefined) return false;
  const checks = await Promise.all(files.map((file) => isUnchanged(folder, file, known[file.name])));
  return checks.every(Boolean);
}

async function isUnchanged(folder: string, file: PinnedFile, known: Known | undefined): Promise<boolean> {
  if (known?.sha256 !== file.sha256) return false;
  try {
    const path = join(folder, file.name);
    const { size, mtimeMs } = await stat(path);
    if (size !== known.size) return false;
    return mtimeMs === known.mtimeMs || (await hashFile(path)) === file.sha256;
  } catch {
    return false;
  }
}

async function readManifest(folder: string): Promise<Record<string, Known> | undefined> {
  try {
    return JSON.parse(await readFile(join(folder, MANIFEST), 'utf8')) as Record<string, Known>;
  } catch {
    return undefined;
  }
}
