import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { ensurePackages, installedPackages } from './bootstrap.mjs';

const LOCK = {
  packages: {
    '': { name: 'earshot' },
    'libs/a': { version: '1.0.0' },
    'node_modules/@earshot/a': { link: true },
    'node_modules/run': { version: '1.0.0' },
    'node_modules/vitest': { version: '4.0.0', dev: true },
    'node_modules/other-system': { version: '1.0.0', optional: true },
  },
};

/** Stands in for npm: like it, writes the list of packages last, and takes as long as a process does to start. */
const NPM = `
import { appendFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
appendFileSync('calls', process.argv.slice(2).join(' ') + '\\n');
rmSync('node_modules', { recursive: true, force: true });
mkdirSync('node_modules/run', { recursive: true });
if (process.argv.includes('--include=dev')) mkdirSync('node_modules/vitest');
const mode = readFileSync('mode', 'utf8');
if (mode === 'fails' || (mode === 'cache is old' && process.argv.includes('--prefer-offline'))) process.exit(1);
const dev = process.argv.includes('--include=dev') ? { 'node_modules/vitest': { version: '4.0.0' } } : {};
const packages = { 'node_modules/run': { version: '1.0.0' }, ...dev };
writeFileSync('node_modules/.package-lock.json', JSON.stringify({ packages }));
`;

async function checkout() {
  const root = await mkdtemp(join(tmpdir(), 'earshot-bootstrap-'));
  onTestFinished(() => rm(root, { recursive: true, force: true }));
  await writeFile(join(root, 'package-lock.json'), JSON.stringify(LOCK));
  await writeFile(join(root, 'npm.mjs'), NPM);
  await writeFile(join(root, 'mode'), 'works');
  const npm = { command: process.execPath, first: ['npm.mjs'] };
  const calls = async () =>
    (await readFile(join(root, 'calls'), 'utf8').catch(() => '')).split('\n').filter(Boolean);
  return { root, npm, calls, ensure: (dev = false) => ensurePackages({ root, npm, dev }) };
}

describe('packages', () => {
  test('are installed once, and again only when the lock file changes', async () => {
    const { root, calls, ensure } = await checkout();
    expect(await installedPackages(root)).toBeUndefined();
    await ensure();
    await ensure();
    expect(await calls()).toEqual([expect.stringMatching(/^ci .*--omit=dev\b/)]);
    await writeFile(
      join(root, 'package-lock.json'),
      JSON.stringify({ ...LOCK, version: 2 }).replace('1.0.0"}', '1.0.1"}'),
    );
    await writeFile(join(root, 'node_modules', '.package-lock.json'), '{"packages":{}}');
    await ensure();
    expect(await calls()).toHaveLength(2);
  });

  test('for tests serve a start too, but not the other way round', async () => {
    const { root, calls, ensure } = await checkout();
    await ensure();
    expect(await installedPackages(root)).toBe('prod');
    await ensure(true);
    expect(await installedPackages(root)).toBe('dev');
    await ensure();
    expect(await calls()).toHaveLength(2);
  });

  test('are installed once by two starts at the same time', async () => {
    const { calls, ensure } = await checkout();
    await Promise.all([ensure(), ensure(), ensure()]);
    expect(await calls()).toHaveLength(1);
  });

  test('that npm put there by hand are taken as they are', async () => {
    const { root, calls, ensure } = await checkout();
    await mkdir(join(root, 'node_modules'));
    const packages = {
      'node_modules/run': { version: '1.0.0' },
      'node_modules/vitest': { version: '4.0.0' },
    };
    await writeFile(join(root, 'node_modules', '.package-lock.json'), JSON.stringify({ packages }));
    await ensure(true);
    expect(await calls()).toEqual([]);
  });

  test('come from npm’s cache without asking, else from the registry when the cache is too old', async () => {
    const { root, calls, ensure } = await checkout();
    await writeFile(join(root, 'mode'), 'cache is old');
    await ensure();
    expect(await installedPackages(root)).toBe('prod');
    expect((await calls()).map((call) => call.includes('--prefer-offline'))).toEqual([true, false]);
  });

  test('of an install that failed are not used', async () => {
    const { root, ensure } = await checkout();
    await writeFile(join(root, 'mode'), 'fails');
    await expect(ensure()).rejects.toThrow('npm ci ended with code 1');
    expect(await installedPackages(root)).toBeUndefined();
    await writeFile(join(root, 'mode'), 'works');
    await ensure();
    expect(await installedPackages(root)).toBe('prod');
  });

  test.each([2 ** 22 + 1, process.pid])(
    'wait for no dead process, nor one that got its number (%d)',
    async (pid) => {
      const { root, calls, ensure } = await checkout();
      await mkdir(join(root, '.earshot', 'locks', 'packages'), { recursive: true });
      await writeFile(join(root, '.earshot', 'locks', 'packages', '3'), `${pid} 1`);
      await ensure();
      expect(await calls()).toHaveLength(1);
    },
  );
});
