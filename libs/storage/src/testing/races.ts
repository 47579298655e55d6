import { describe, expect, it } from 'vitest';
import type { ObjectStorage } from '../object-storage.ts';
import { codeOf, keys, stream, text } from './bytes.ts';

/** Several writers, readers and failures at once. */
export function races(storage: () => ObjectStorage): void {
  describe('races and failures', () => {
    it('lets exactly one of 20 concurrent creators win, with whole bytes', async () => {
      for (let round = 0; round < 5; round += 1) {
        const key = `t/${round}/manifest`;
        const bodies = Array.from({ length: 20 }, (_, i) => String.fromCharCode(65 + i).repeat(50_000));
        const won = await Promise.all(
          bodies.map((body, i) => storage().create(key, i % 2 ? stream([body]) : Buffer.from(body))),
        );
        expect(won.filter(Boolean)).toHaveLength(1);
        expect(await text(storage(), key)).toBe(bodies[won.indexOf(true)]);
      }
      expect(await keys(storage(), '')).toHaveLength(5);
    });

    it('does not replace with create, and leaves nothing of the loser', async () => {
      await storage().put('t/a', Buffer.from('first'));
      const body = stream(['second']);
      expect(await storage().create('t/a', body)).toBe(false);
      expect(body.destroyed).toBe(true);
      expect(await text(storage(), 't/a')).toBe('first');
      await storage().delete('t/a');
      expect(await storage().create('t/a', Buffer.from('third'))).toBe(true);
    });

    it.each(['put', 'create'] as const)('shows nothing of a %s whose body fails', async (method) => {
      const failure = Object.assign(new Error('client went away'), { code: 'ECONNRESET' });
      const body = stream([Buffer.alloc(200_000)], failure);
      await expect(storage()[method]('t/a/b', body)).rejects.toBe(failure);
      expect(body.destroyed).toBe(true);
      expect(await storage().stat('t/a/b')).toBeUndefined();
      expect(await keys(storage(), '')).toEqual([]);
    });

    it('takes a body that failed or was destroyed before it was read', async () => {
      const failed = stream([]);
      failed.destroy(new Error('too early'));
      await expect(storage().put('t/a', failed)).rejects.toThrow('too early');
      const destroyed = stream(['x']);
      destroyed.destroy();
      expect(await codeOf(storage().put('t/a', destroyed))).not.toBe('none');
      expect(await keys(storage(), '')).toEqual([]);
    });

    it('keeps the old object when its replacement fails', async () => {
      await storage().put('t/a', Buffer.from('old'));
      await expect(storage().put('t/a', stream(['new'], new Error('cut')))).rejects.toThrow('cut');
      expect(await text(storage(), 't/a')).toBe('old');
    });

    it('shows readers the old or the new object, never a mix', async () => {
      const versions = ['a', 'b', 'c', 'd'].map((letter) => letter.repeat(200_000));
      await storage().put('t/a', Buffer.from(versions[0] ?? ''));
      let writing = true;
      const writer = (async () => {
        for (let i = 0; i < 40; i += 1) await storage().put('t/a', Buffer.from(versions[i % 4] ?? ''));
        writing = false;
      })();
      while (writing) expect(versions).toContain(await text(storage(), 't/a'));
      await writer;
    });

    it('writes into folders that others are emptying', async () => {
      const churn = async (who: number) => {
        for (let i = 0; i < 30; i += 1) {
          await storage().put(`t/deep/er/${who}`, Buffer.from('x'));
          await storage().delete(`t/deep/er/${who}`);
        }
        await storage().create(`t/deep/er/${who}`, Buffer.from('stays'));
      };
      await Promise.all(Array.from({ length: 8 }, (_, who) => churn(who)));
      expect(await keys(storage(), 't/')).toHaveLength(8);
    });
  });
}
