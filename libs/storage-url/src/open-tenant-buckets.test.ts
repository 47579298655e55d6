import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { tempFolder } from '@earshot/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openStorage, openTenantBuckets } from './index.ts';

let folder: Awaited<ReturnType<typeof tempFolder>>;
let file: string;
beforeAll(async () => {
  folder = await tempFolder();
  file = join(folder.path, 'buckets.json');
  await writeFile(file, '{"acme": ["gs://ours-and-theirs", "gs://theirs"]}');
});
afterAll(() => folder.remove());

const opened = (url: string, buckets?: string) =>
  openTenantBuckets(
    { EARSHOT_STORAGE_URL: url, ...(buckets ? { EARSHOT_BUCKETS_FILE: buckets } : {}) },
    { error: () => {} },
  );

describe('the store of a URL', () => {
  it('is a folder', async () => {
    const storage = await openStorage({
      EARSHOT_STORAGE_URL: pathToFileURL(join(folder.path, 'objects')).href,
    });
    await storage.put('t/a', Buffer.from('1'));
    expect(String(await storage.read('t/a'))).toBe('1');
    expect(storage.addressOf?.('t/a')).toBeUndefined();
  });

  it.each([
    ['gs://bucket', 'gs://bucket/t/a'],
    ['gs://bucket/', 'gs://bucket/t/a'],
    ['gs://bucket/some/folder', 'gs://bucket/some/folder/t/a'],
    ['gs://bucket/some/folder/', 'gs://bucket/some/folder/t/a'],
  ])('is the bucket %s', async (url, address) => {
    const storage = await openStorage({ EARSHOT_STORAGE_URL: url });
    expect(storage.addressOf?.('t/a')).toBe(address);
  });

  it('leads to no other folder of a bucket', async () => {
    const opening = openStorage({ EARSHOT_STORAGE_URL: 'gs://bucket/some/../folder' });
    await expect(opening).rejects.toMatchObject({ code: 'forbidden_key' });
  });

  it('is asked as the credentials say, and as nobody with malformed ones', async () => {
    const config = { EARSHOT_STORAGE_URL: 'gs://bucket', GOOGLE_APPLICATION_CREDENTIALS_JSON: '{}' };
    await expect(openStorage(config)).rejects.toThrow('its type is none of');
  });
});

describe('buckets of tenants', () => {
  it('are those of the file, but for our own store', async () => {
    const buckets = await opened('gs://ours-and-theirs/earshot', file);
    const found = (uri: string) => buckets.find('acme', uri).bucket.addressOf?.('x');
    expect(found('gs://theirs/a')).toBe('gs://theirs/x');
    expect(found('gs://ours-and-theirs/earshot-in/a')).toBe('gs://ours-and-theirs/x');
    const ours = 'gs://ours-and-theirs/earshot/other/in/a';
    expect(() => found(ours)).toThrow(expect.objectContaining({ code: 'forbidden_bucket' }));
    const whole = await opened('gs://ours-and-theirs', file);
    expect(() => whole.find('acme', 'gs://ours-and-theirs/a')).toThrow('may not read');
  });

  it('are never what is staged for Google, so that no chunk becomes a recording', async () => {
    const config = { EARSHOT_STORAGE_URL: 'file:/x', EARSHOT_BUCKETS_FILE: file };
    const staged = { EARSHOT_GOOGLE_STAGING_URL: 'gs://theirs/staging' };
    const buckets = await openTenantBuckets({ ...config, ...staged }, { error: () => {} });
    expect(buckets.isOurs({ bucket: 'theirs', key: 'staging/acme/id/sound' })).toBe(true);
    expect(buckets.isOurs({ bucket: 'theirs', key: 'staging-in/a.wav' })).toBe(false);
    expect(() => buckets.check('acme', 'gs://theirs/staging/other/id/sound')).toThrow('may not read');
  });

  it('are none without a file', async () => {
    const buckets = await opened('file:/x');
    expect(() => buckets.find('acme', 'gs://theirs/a')).toThrow(
      expect.objectContaining({ code: 'forbidden_bucket' }),
    );
  });
});
