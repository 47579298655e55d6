import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { temporaryFolder } from '../test/folder.ts';
import { withLock } from './lock.ts';

describe('a lock', () => {
  test('lets one at a time in, and everyone in the end', async () => {
    const folder = temporaryFolder();
    let inside = 0;
    let most = 0;
    const work = async () => {
      inside += 1;
      most = Math.max(most, inside);
      await new Promise((next) => setImmediate(next));
      inside -= 1;
    };
    await Promise.all(Array.from({ length: 12 }, () => withLock(folder, work)));
    expect(most).toBe(1);
  });

  test('of a dead process is taken over, by one of those who want it', async () => {
    const folder = temporaryFolder();
    await writeFile(join(folder, '7'), JSON.stringify({ pid: 2 ** 22 + 1, start: '1' }));
    let inside = 0;
    const seen = await Promise.all(
      Array.from({ length: 8 }, () =>
        withLock(folder, async () => {
          inside += 1;
          await new Promise((next) => setImmediate(next));
          const now = inside;
          inside -= 1;
          return now;
        }),
      ),
    );
    expect(seen).toEqual(Array(8).fill(1));
  });

  test('of a process whose number was given to another is taken over', async () => {
    const folder = temporaryFolder();
    await writeFile(join(folder, '1'), JSON.stringify({ pid: process.pid, start: 'another life' }));
    expect(await withLock(folder, async () => 'in', { timeoutMs: 1000 })).toBe('in');
  });

  test('is given back when the work throws', async () => {
    const folder = temporaryFolder();
    await expect(withLock(folder, () => Promise.reject(new Error('broken')))).rejects.toThrow('broken');
    expect(await withLock(folder, async () => 'in', { timeoutMs: 1000 })).toBe('in');
  });

  test('that stays taken ends in BUSY', async () => {
    const folder = temporaryFolder();
    await withLock(folder, async () => {
      await expect(withLock(folder, async () => 'in', { timeoutMs: 100 })).rejects.toMatchObject({
        code: 'BUSY',
      });
    });
  });
});
