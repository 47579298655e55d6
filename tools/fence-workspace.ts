import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const repositoryRoot = fileURLToPath(new URL('..', import.meta.url));

/** The part of a package.json that the fence reads. */
export interface Manifest {
  readonly name: string;
  readonly scripts?: Readonly<Record<string, string>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly exports?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly nx?: { readonly tags?: readonly string[] };
}

/** Reads a JSON file of this repository. */
export async function readJson<T>(...path: string[]): Promise<T> {
  return JSON.parse(await readFile(join(...path), 'utf8')) as T;
}

/** Every package folder, relative to the root, with its manifest. */
export async function workspacePackages(): Promise<{ folder: string; manifest: Manifest }[]> {
  const groups = await Promise.all(
    ['libs', 'services'].map(async (group) =>
      (await readdir(join(repositoryRoot, group))).sort().map((name) => `${group}/${name}`),
    ),
  );
  return Promise.all(
    [...groups.flat(), 'tools'].map(async (folder) => ({
      folder,
      manifest: await readJson<Manifest>(repositoryRoot, folder, 'package.json'),
    })),
  );
}

/** Runs a tool of node_modules in `cwd`; resolves to everything it printed and its exit code. */
export function runTool(
  cwd: string,
  tool: string,
  ...args: string[]
): Promise<{ output: string; code: number }> {
  const file = join(repositoryRoot, 'node_modules', tool);
  return new Promise((resolve) => {
    execFile(process.execPath, [file, ...args], { cwd, maxBuffer: 2 ** 26 }, (error, stdout, stderr) => {
      resolve({ output: stdout + stderr, code: error ? Number(error.code ?? 1) : 0 });
    });
  });
}

const sourceOf = (target: string) => target.replace('./dist/', './src/').replace(/\.d\.ts$|\.js$/, '.ts');

async function linkOutsidePackages(root: string): Promise<void> {
  const from = join(repositoryRoot, 'node_modules');
  await mkdir(join(root, 'node_modules', '@earshot'), { recursive: true });
  const names = (await readdir(from)).filter((name) => !['@earshot', '.bin', '.cache'].includes(name));
  await Promise.all(names.map((name) => symlink(join(from, name), join(root, 'node_modules', name))));
}

/**
 * A throw-away workspace with this repository's real rules (Biome, knip, TypeScript, package manifests) and, for
 * each package, sources that do nothing but import what its manifest declares. Tests plant faults in it.
 */
export async function scratchWorkspace() {
  const root = await mkdtemp(join(tmpdir(), 'earshot-fence-'));
  const write = async (path: string, text: string) => {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), text);
  };
  const configs = ['biome.json', 'knip.json', 'tsconfig.base.json', 'tsconfig.json', 'package.json'];
  await Promise.all(configs.map((file) => cp(join(repositoryRoot, file), join(root, file))));
  await linkOutsidePackages(root);
  for (const { folder, manifest } of await workspacePackages()) {
    await write(`${folder}/package.json`, JSON.stringify(manifest));
    await symlink(join(root, folder), join(root, 'node_modules', manifest.name));
    if (folder === 'tools') continue;
    await cp(join(repositoryRoot, folder, 'tsconfig.json'), join(root, folder, 'tsconfig.json'));
    for (const entry of Object.values(manifest.exports ?? {})) {
      await write(`${folder}/${sourceOf(entry.default ?? '')}`, `export const name = '${manifest.name}';\n`);
    }
  }
  return { root, write, remove: () => rm(root, { recursive: true, force: true }) };
}
