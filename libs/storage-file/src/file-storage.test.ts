import { mkdir, readdir, readFile, rename, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { everyRequest, storageConformance } from '@earshot/storage/testing';
import { eventually, tempFolder } from '@earshot/testkit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openFileStorage } from './index.ts';

storageConformance(
  'folder',
  async () => {
    const folder = await tempFolder();
    const storage = await openFileStorage({ root: join(folder.path, 'objects') });
    return {
      storage,
      cleanup: async () => {
        await storage.close();
        await folder.remove();
      },
    };
  },
  { signs: false, addresses: undefined },
);

describe('a folder as object store', () => {
  let folder: Awaited<ReturnType<typeof tempFolder>>;
  let root: string;
  beforeEach(async () => {
    folder = await tempFolder();
    root = join(folder.path, 'objects');
  });
  afterEach(() => folder.remove());

  const code = (work: Promise<unknown>) => work.then(String, (error) => (error as { code: string }).code);
  const tempNames = () => readdir(join(root, '.earshot-tmp'));

  it('lends the object itself, not a copy', async () => {
    const storage = await openFileStorage({ root });
    await storage.put('t/a', Buffer.from('1'));
    const file = await storage.localFile('t/a');
    expect(file.path.endsWith('/objects/t/a')).toBe(true);
  });

  it('leaves no temporary file behind, whether a write succeeds, loses or fails', async () => {
    const storage = await openFileStorage({ root });
    await storage.put('t/a', Buffer.from('1'));
    await storage.create('t/a', Buffer.from('2'));
    const body = new PassThrough();
    const writing = storage.put('t/b', body);
    body.write(Buffer.alloc(100_000));
    await eventually('the temporary file', async () => (await tempNames()).length === 1);
    body.destroy(new Error('aborted'));
    await expect(writing).rejects.toThrow('aborted');
    expect(await tempNames()).toEqual([]);
  });

  it('prunes the folders a deletion leaves empty, and only those', async () => {
    const storage = await openFileStorage({ root });
    await storage.put('t/a/b/c', Buffer.from('1'));
    await storage.put('t/d', Buffer.from('1'));
    await storage.delete('t/a/b/c');
    expect(await readdir(join(root, 't'))).toEqual(['d']);
    await storage.delete('t/d');
    expect((await stat(root)).isDirectory()).toBe(true);
  });

  it('sweeps what a crashed writer left, not what a living one writes', async () => {
    await mkdir(join(root, '.earshot-tmp'), { recursive: true });
    const old = new Date(Date.now() - 3 * 3_600_000);
    for (const name of ['crashed', 'living']) await writeFile(join(root, '.earshot-tmp', name), 'half');
    await utimes(join(root, '.earshot-tmp', 'crashed'), old, old);
    const storage = await openFileStorage({ root, staleHours: 2 });
    await storage.put('t/a', Buffer.from('1'));
    await storage.close();
    expect(await tempNames()).toEqual(['living']);
  });

  it('never follows a link out of its root', async () => {
    const outside = join(folder.path, 'outside');
    await mkdir(outside);
    await writeFile(join(outside, 'secret'), 'secret');
    const storage = await openFileStorage({ root });
    await mkdir(join(root, 't'));
    await symlink(outside, join(root, 't', 'folder'));
    await symlink(join(outside, 'secret'), join(root, 't', 'file'));
    for (const key of ['t/folder/secret', 't/file']) {
      expect(await code(storage.get(key))).toMatch(/forbidden_key|missing_object/);
      expect(await code(storage.localFile(key))).toMatch(/forbidden_key|missing_object/);
    }
    expect(await code(storage.put('t/folder/new/x', Buffer.from('1')))).toBe('forbidden_key');
    expect(await code(storage.delete('t/folder/secret'))).toBe('forbidden_key');
    await storage.put('t/file', Buffer.from('mine'));
    expect(await readdir(outside)).toEqual(['secret']);
    expect(await readFile(join(outside, 'secret'), 'utf8')).toBe('secret');
    const listed: string[] = [];
    for await (const info of storage.list('')) listed.push(info.key);
    expect(listed).toEqual(['t/file']);
  });

  it('refuses a key that a file system cannot hold, without naming its paths', async () => {
    const storage = await openFileStorage({ root });
    await storage.put('t/a', Buffer.from('1'));
    const attempts = [
      storage.put('t/a/below-a-file', Buffer.from('1')),
      storage.create('t/a/below-a-file', Buffer.from('1')),
      storage.put('t', Buffer.from('1')),
      storage.put(`t/${'x'.repeat(300)}`, Buffer.from('1')),
      storage.put('.earshot-tmp/x', Buffer.from('1')),
    ];
    for (const result of await Promise.allSettled(attempts)) {
      expect(result).toMatchObject({ status: 'rejected', reason: { code: 'forbidden_key' } });
      expect(String((result as PromiseRejectedResult).reason.message)).not.toContain(root);
    }
    expect(await storage.stat('t/a/below')).toBeUndefined();
  });

  it.each([
    ['is gone', (root: string) => rename(root, `${root}.away`)],
    ['is an empty folder, as where a volume was mounted', emptied],
  ])('is unavailable while its folder %s, loses nothing and makes nothing there', async (_, takeAway) => {
    const storage = await openFileStorage({ root });
    await storage.put('t/a', Buffer.from('1'));
    await takeAway(root);
    for (const ask of Object.values(everyRequest(storage))) expect(await code(ask())).toBe('unavailable');
    expect(await readdir(root).catch(() => [])).toEqual([]);
    await rm(root, { recursive: true, force: true });
    await rename(`${root}.away`, root);
    await storage.ping();
    expect(String(await storage.read('t/a'))).toBe('1');
    expect(await storage.read('t/b')).toBeUndefined();
  });
});

async function emptied(root: string): Promise<void> {
  await rename(root, `${root}.away`);
  await mkdir(root);
}
