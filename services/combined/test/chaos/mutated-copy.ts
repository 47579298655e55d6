import { cp, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { tempFolder } from '@earshot/testkit';
import { REPOSITORY } from './chaos-world.ts';
import type { Mutation } from './mutations.ts';

const COPIED = [
  'libs',
  'services',
  'package.json',
  'tsconfig.json',
  'tsconfig.base.json',
  'tsconfig.test.json',
];

/** A checkout of its own in which `mutation` has taken effect. Throws when one of its edits fits no more. */
export async function mutatedCopy(mutation: Mutation): Promise<Awaited<ReturnType<typeof tempFolder>>> {
  const folder = await tempFolder();
  for (const name of COPIED) {
    await cp(join(REPOSITORY, name), join(folder.path, name), {
      recursive: true,
      preserveTimestamps: true,
      verbatimSymlinks: true,
    });
  }
  await linkPackages(folder.path);
  for (const edit of mutation.edits) {
    const file = join(folder.path, edit.file);
    await writeFile(file, applyEdit(await readFile(file, 'utf8'), edit));
  }
  return folder;
}

/** Throws unless `find` is in the text exactly once. */
export function applyEdit(text: string, { file, find, replace }: Mutation['edits'][number]): string {
  if (text.split(find).length !== 2) throw new Error(`${file} has changed: the mutation no longer fits`);
  return text.replace(find, () => replace);
}

/** Everything from outside is that of the repository; our own packages are those of the copy. */
async function linkPackages(copy: string): Promise<void> {
  const from = join(REPOSITORY, 'node_modules');
  const to = join(copy, 'node_modules');
  await mkdir(to);
  for (const name of await readdir(from))
    if (name !== '@earshot') await symlink(join(from, name), join(to, name));
  await cp(join(from, '@earshot'), join(to, '@earshot'), { recursive: true, verbatimSymlinks: true });
}
