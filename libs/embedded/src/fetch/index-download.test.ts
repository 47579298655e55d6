import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { temporaryFolder } from '../../test/folder.ts';
import { startLocalIndex } from '../../test/local-index.ts';
import { realPin, realWheel } from '../../test/real-files.ts';
import { hashFile } from '../hash.ts';
import { indexDownload } from './index-download.ts';
import { wheelFileName } from './wheel-pins.ts';
import { listZip } from './zip.ts';

const nothing = () => undefined;

describe('without Python', () => {
  test.each(['html', 'json'] as const)(
    'the real wheel comes from an index that answers in %s',
    async (form) => {
      const pin = realPin();
      const index = await startLocalIndex(
        pin.project,
        wheelFileName(pin),
        await readFile(await realWheel()),
        form,
      );
      const path = await indexDownload(pin, temporaryFolder(), { PIP_INDEX_URL: `${index.url}/` }, nothing);
      expect(await hashFile(path)).toBe(pin.sha256);
      expect((await listZip(path)).map(({ name }) => name)).toContain(pin.entry);
    },
  );

  test('a wheel with another hash is refused', async () => {
    const pin = realPin();
    const index = await startLocalIndex(pin.project, wheelFileName(pin), Buffer.from('something else'));
    const env = { PIP_INDEX_URL: index.url };
    await expect(indexDownload(pin, temporaryFolder(), env, nothing)).rejects.toMatchObject({
      code: 'BAD_HASH',
    });
  });

  test('an index without the wheel is named as the reason', async () => {
    const pin = realPin();
    const index = await startLocalIndex(pin.project, 'other.whl', Buffer.alloc(1));
    const env = { PIP_INDEX_URL: index.url };
    await expect(indexDownload(pin, temporaryFolder(), env, nothing)).rejects.toThrow('does not have');
  });
});
