import { describe, expect, it } from 'vitest';
import type { ObjectStorage } from '../object-storage.ts';
import { codeOf, text } from './bytes.ts';

/** Which of the functions that a store may lack a store under test has. */
export interface StorageTraits {
  /** It signs addresses. */
  readonly signs: boolean;
  /** What the addresses begin with that a vendor reads by itself; undefined for a store that nobody else reads. */
  readonly addresses: RegExp | undefined;
}

/** Addresses under which others read and write objects. */
export function addresses(storage: () => ObjectStorage, traits: StorageTraits): void {
  describe('addresses for others', () => {
    it('name an object for a vendor of the same cloud, and for nobody elsewhere', async () => {
      const address = storage().addressOf?.('t/a b/ü#1.wav');
      if (traits.addresses) expect(address).toMatch(traits.addresses);
      else expect(address).toBeUndefined();
      expect(address?.endsWith('/t/a b/ü#1.wav') ?? true).toBe(true);
    });

    if (!traits.signs) {
      it('are not signed by a store that cannot', () => {
        expect(storage().signedUrl).toBeUndefined();
      });
      return;
    }

    it('let whoever has a signed one read that object, and write it', async () => {
      const signed = async (method: 'GET' | 'PUT', key = 't/a b/ü.wav') =>
        (await storage().signedUrl?.(key, { method, expiresMs: 60_000 })) ?? '';
      await storage().put('t/a b/ü.wav', Buffer.from('before'));
      expect(await (await fetch(await signed('GET'))).text()).toBe('before');
      const written = await fetch(await signed('PUT'), { method: 'PUT', body: 'after' });
      expect(written.status).toBe(200);
      expect(await text(storage(), 't/a b/ü.wav')).toBe('after');
      expect((await fetch(await signed('GET', 't/none'))).status).toBe(404);
    });

    it('are not signed for a forbidden key', async () => {
      const signing = storage().signedUrl?.('t/../x', { method: 'GET', expiresMs: 60_000 });
      expect(await codeOf(Promise.resolve(signing))).toBe('forbidden_key');
    });
  });
}
