import { describe, expect, it } from 'vitest';
import type { ObjectStorage } from '../object-storage.ts';
import { keys } from './bytes.ts';

const IN_ORDER = [
  't/a',
  't/a-b',
  't/a.x/1',
  't/a0',
  't/b/1',
  't/b/10',
  't/b/2',
  't/é',
  't/日',
  't/🎧',
  'u/a',
];

/** Listing: order, prefixes, change while listing. */
export function listing(storage: () => ObjectStorage): void {
  describe('listing', () => {
    it('gives keys in byte order whatever order they came in', async () => {
      for (const key of IN_ORDER.toReversed()) await storage().put(key, Buffer.from('1'));
      expect(await keys(storage(), '')).toEqual(IN_ORDER);
      expect(await keys(storage(), 't/')).toEqual(IN_ORDER.slice(0, -1));
    });

    it('orders a folder among its neighbours by the slash', async () => {
      for (const key of ['t/x/1', 't/x-1', 't/x0']) await storage().put(key, Buffer.from('1'));
      expect(await keys(storage(), 't/')).toEqual(['t/x-1', 't/x/1', 't/x0']);
    });

    it('takes any prefix, not only folders', async () => {
      for (const key of ['t/ab/1', 't/abc', 't/b']) await storage().put(key, Buffer.from('1'));
      expect(await keys(storage(), 't/ab')).toEqual(['t/ab/1', 't/abc']);
      expect(await keys(storage(), 't/ab/')).toEqual(['t/ab/1']);
      expect(await keys(storage(), 'nothing/here')).toEqual([]);
      expect(await keys(storage(), 't/b/')).toEqual([]);
    });

    it('goes on when the objects are deleted behind and before it', async () => {
      const all = Array.from({ length: 60 }, (_, i) => `t/${String(i).padStart(2, '0')}/x`);
      for (const key of all) await storage().put(key, Buffer.from('1'));
      const seen: string[] = [];
      for await (const info of storage().list('t/')) {
        seen.push(info.key);
        await storage().delete(info.key);
        await storage().delete('t/59/x');
      }
      expect(seen.filter((key) => key !== 't/59/x')).toEqual(all.slice(0, -1));
      expect(await keys(storage(), '')).toEqual([]);
    });

    it('may be left early', async () => {
      for (const key of ['t/1', 't/2']) await storage().put(key, Buffer.from('1'));
      for await (const info of storage().list('t/')) {
        expect(info.key).toBe('t/1');
        break;
      }
    });
  });
}
