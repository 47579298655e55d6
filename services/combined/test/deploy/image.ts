import { readFile, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { tempFolder } from '@earshot/testkit';

/** An image as this repository's build gives it on this machine. */
export interface Image {
  /** Where its commands are run. */
  readonly workdir: string;
  /** What it runs where a deployment names nothing else. */
  readonly command: readonly string[];
  /** Settings that it brings along; their values are paths inside of it. */
  readonly names: readonly string[];
  remove(): Promise<void>;
}

/** Lays out the image of a service as `deploy/Dockerfile` does, by links into the repository. */
export async function imageOf(repository: string, service: string): Promise<Image> {
  const dockerfile = await readFile(join(repository, 'deploy/Dockerfile'), 'utf8');
  const command = /^CMD (\[.*\])$/m.exec(dockerfile)?.[1] ?? '[]';
  const link = /^RUN ln -s "services\/\$\{SERVICE\}" (\w+)$/m.exec(dockerfile)?.[1] ?? 'none';
  const engine = new RegExp(`^FROM service-with-engine AS base-${service}$`, 'm').test(dockerfile);
  const settings = /^ENV (EARSHOT_FFMPEG_BIN=.*)$/m.exec(dockerfile)?.[1] ?? '';
  const folder = await tempFolder();
  for (const name of ['node_modules', 'libs', 'services'])
    await symlink(join(repository, name), join(folder.path, name));
  await symlink(join('services', service), join(folder.path, link));
  return {
    workdir: folder.path,
    command: JSON.parse(command) as string[],
    names: engine ? (settings.match(/EARSHOT_\w+(?==)/g) ?? []) : [],
    remove: () => folder.remove(),
  };
}
