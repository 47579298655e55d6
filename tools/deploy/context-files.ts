import { readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import dockerignore from '@balena/dockerignore';

/** The files of a folder that are sent to whoever builds an image of it: those that its .dockerignore leaves. */
export async function contextFiles(folder: string): Promise<string[]> {
  const patterns = await readFile(join(folder, '.dockerignore'), 'utf8');
  const kept = dockerignore.default().add(patterns).createFilter();
  const mayComeBack = /^\s*!/m.test(patterns);
  const walk = async (at: string): Promise<string[]> => {
    const entries = await readdir(at, { withFileTypes: true });
    const found = entries.map(async (entry) => {
      const path = relative(folder, join(at, entry.name));
      if (!entry.isDirectory()) return kept(path) ? [path] : [];
      return kept(path) || mayComeBack ? walk(join(folder, path)) : [];
    });
    return (await Promise.all(found)).flat();
  };
  return (await walk(folder)).sort();
}
