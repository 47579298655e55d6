import { randomBytes } from 'node:crypto';
import { chmod, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';

/** A small JSON file, or undefined when it is missing or damaged. */
export async function readState<T>(path: string): Promise<T | undefined> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as T;
  } catch {
    return undefined;
  }
}

/** Replaces a small JSON file whole; only its owner may read it. */
export async function writeState(path: string, value: unknown): Promise<void> {
  await writePrivate(path, `${JSON.stringify(value, null, 2)}\n`);
}

/** Replaces a file whole with mode 0600. */
export async function writePrivate(path: string, text: string): Promise<void> {
  const draft = `${path}.${process.pid}-${randomBytes(3).toString('hex')}`;
  await writeFile(draft, text, { mode: 0o600 });
  await rename(draft, path);
}

/** Makes a folder. Folders made on the way may be passed through by other users (0711) but not listed. */
export async function makeFolder(path: string): Promise<void> {
  const first = await mkdir(path, { recursive: true });
  if (first === undefined) return;
  for (let here = path; here.startsWith(first); here = dirname(here)) await chmod(here, 0o711);
}
