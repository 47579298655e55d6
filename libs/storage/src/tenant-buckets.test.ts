import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { eventually, tempFolder } from '@earshot/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  bucketFile,
  bucketFileProblems,
  type ObjectStorage,
  parseBucketAddress,
  parseBucketList,
  tenantBuckets,
} from './index.ts';

const LIST = JSON.stringify({
  acme: ['gs://acme-uploads', 'gs://shared/acme'],
  'acme-2': ['gs://shared/acme-2/', 'gs://shared/acme/private'],
});

const OWN = parseBucketAddress('gs://acme-uploads/earshot/x');
const buckets = tenantBuckets({
  list: () => parseBucketList(LIST),
  open: (name) => ({ addressOf: (key: string) => `gs://${name}/${key}` }) as ObjectStorage,
  isOurs: ({ bucket, key }) => bucket === OWN.bucket && key.startsWith('earshot/'),
});

const codeOf = (work: () => unknown) => {
  try {
    work();
    return 'none';
  } catch (error) {
    return (error as { code: string }).code;
  }
};

describe('an address in a bucket', () => {
  it('is read literally', () => {
    const address = { bucket: 'b-1.x_y', key: 'a/ü %2e%2e%2f/b#7?x=1.wav' };
    expect(parseBucketAddress(`gs://${address.bucket}/${address.key}`)).toEqual(address);
  });

  it.each([
    'gs://',
    'gs://b',
    'gs:b/x',
    'GS://bucket/x',
    'gs:///x',
    'gs://Bucket/x',
    'gs://user@bucket/x',
    'gs://bucket:80/x',
    'gs://bu..cket/x',
    'gs://bucket%2f/x',
    'http://bucket/x',
  ])('is not %s', (uri) => {
    expect(codeOf(() => parseBucketAddress(uri))).toBe('unsupported_uri');
  });

  it.each(['', '/x', 'a/../b', '..', 'a//b', 'a/./b', 'a\nb', 'a/', 'a\\b'])('has no key %j', (key) => {
    expect(codeOf(() => parseBucketAddress(`gs://bucket/${key}`))).toBe('forbidden_key');
  });
});

describe('buckets of tenants', () => {
  it('are found by the tenant they are listed for', () => {
    const { bucket, key } = buckets.find('acme', 'gs://shared/acme/a/b.wav');
    expect(bucket.addressOf?.(key)).toBe('gs://shared/acme/a/b.wav');
    expect(buckets.check('acme', 'gs://acme-uploads/x')).toEqual({ bucket: 'acme-uploads', key: 'x' });
    expect(buckets.check('acme-2', 'gs://shared/acme-2/x')).toEqual({ bucket: 'shared', key: 'acme-2/x' });
  });

  it.each([
    ['acme', 'gs://shared/acme-2/x'],
    ['acme', 'gs://shared/acme'],
    ['acme', 'gs://shared/other/x'],
    ['acme', 'gs://acme-uploads-evil/x'],
    ['acme', 'gs://evil/acme-uploads/x'],
    ['acme', 'gs://shared/acme%2fx'],
    ['acme', 'gs://shared/%61cme/x'],
    ['acme', 'gs://shared/Acme/x'],
    ['acme-2', 'gs://acme-uploads/x'],
    ['nobody', 'gs://shared/acme/x'],
    ['__proto__', 'gs://shared/acme/x'],
    // Our own storage, whatever the list says.
    ['acme', 'gs://acme-uploads/earshot/other-tenant/x'],
  ])('do not let %s read %s', (tenant, uri) => {
    expect(codeOf(() => buckets.find(tenant, uri))).toBe('forbidden_bucket');
  });

  it('do not let anybody leave a folder by dots', () => {
    expect(codeOf(() => buckets.find('acme', 'gs://shared/acme/../acme-2/x'))).toBe('forbidden_key');
  });

  it('tell whose an object is by the entry that says most', () => {
    const of = (uri: string) => buckets.tenantOf(parseBucketAddress(uri));
    expect(of('gs://shared/acme/x')).toBe('acme');
    expect(of('gs://shared/acme/private/x')).toBe('acme-2');
    expect(of('gs://shared/x')).toBeUndefined();
    expect(of('gs://acme-uploads/earshot/x')).toBeUndefined();
  });
});

describe('the file of buckets', () => {
  let folder: Awaited<ReturnType<typeof tempFolder>>;
  let path: string;
  beforeAll(async () => {
    folder = await tempFolder();
    path = join(folder.path, 'buckets.json');
  });
  afterAll(() => folder.remove());

  it('is read strictly, and all that is wrong is told', async () => {
    const wrong = {
      Acme: [],
      b: 'gs://b-b',
      c: ['gs://c-c/../x', 's3://c-c', 7, 'gs://ok-c', 'gs://d-d//'],
      d: ['gs://ok-c/'],
    };
    await writeFile(path, JSON.stringify(wrong));
    const [problem = '', ...more] = bucketFileProblems(path);
    expect(more).toEqual([]);
    for (const part of [
      '"Acme"',
      'what b has',
      '"gs://c-c/../x"',
      '"s3://c-c"',
      '7 of c',
      '"gs://d-d//"',
      'gs://ok-c/ is there twice',
    ])
      expect(problem).toContain(part);
    await writeFile(path, '{');
    expect(bucketFileProblems(path)).toEqual(['EARSHOT_BUCKETS_FILE cannot be used: it is not JSON']);
    expect(bucketFileProblems(join(folder.path, 'none'))).toEqual([
      'EARSHOT_BUCKETS_FILE cannot be used: ENOENT',
    ]);
    expect(bucketFileProblems(undefined)).toEqual([]);
  });

  it('is read again when it changes, and a broken one changes nothing', async () => {
    const problems: string[] = [];
    await writeFile(path, '{"t": ["gs://one"]}');
    const list = bucketFile(path, (problem) => problems.push(problem));
    const reads = (bucket: string) => list().allows('t', { bucket, key: 'x' });
    expect([reads('one'), reads('two')]).toEqual([true, false]);
    await writeFile(path, '{"t": ["gs://two"]}');
    await eventually('the new list', async () => reads('two'));
    expect(reads('one')).toBe(false);
    await writeFile(path, '{"t": [');
    await eventually('the problem', async () => reads('two') && problems.length > 0);
    await rm(path);
    await eventually('its absence', async () => reads('two') && problems.length > 1);
    expect(problems).toEqual(['it is not JSON', 'ENOENT']);
  });
});
