import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { describe, expect, test } from 'vitest';
import { temporaryFolder } from '../../test/folder.ts';
import { makeZip } from '../../test/zip-writer.ts';
import { listZip, openZipEntry } from './zip.ts';

const text = Buffer.from('hello '.repeat(1000));

async function zipFile(content: Buffer): Promise<string> {
  const path = join(temporaryFolder(), 'a.zip');
  await writeFile(path, content);
  return path;
}

describe('the zip reader', () => {
  test('reads stored and deflated files', async () => {
    const files = [
      { name: 'a/stored', content: text, stored: true },
      { name: 'a/deflated', content: text },
    ];
    const path = await zipFile(makeZip(files));
    for (const entry of await listZip(path)) {
      expect(entry.size).toBe(text.length);
      expect((await buffer(await openZipEntry(path, entry))).equals(text)).toBe(true);
    }
  });

  test.each(['../evil', '/etc/evil', 'a/../../evil', 'a\\evil', 'C:evil', 'a\0b'])(
    'refuses the name %j',
    async (name) => {
      const path = await zipFile(makeZip([{ name, content: text }]));
      await expect(listZip(path)).rejects.toMatchObject({ code: 'BAD_ARCHIVE' });
    },
  );

  test('refuses a file that was cut off', async () => {
    const whole = makeZip([{ name: 'a', content: text }]);
    await expect(listZip(await zipFile(whole.subarray(0, whole.length - 30)))).rejects.toThrow('cut off');
    await expect(listZip(await zipFile(Buffer.alloc(0)))).rejects.toThrow('cut off');
  });

  test('reports damaged data when it is read', async () => {
    const whole = makeZip([{ name: 'a', content: text }]);
    whole.fill(0xff, 31, 50);
    const path = await zipFile(whole);
    const [entry] = await listZip(path);
    if (entry === undefined) throw new Error('no entry');
    await expect(openZipEntry(path, entry).then(buffer)).rejects.toThrow();
  });
});
