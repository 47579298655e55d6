import { describe, expect, it } from 'vitest';
import type { ObjectStorage } from '../object-storage.ts';
import { codeOf, keys } from './bytes.ts';

const FORBIDDEN = [
  '',
  '/',
  '/etc/passwd',
  '..',
  '../x',
  't/../../x',
  't/..',
  './x',
  't/./x',
  't//x',
  't/',
  't/\0x',
  't/\nx',
  't\\..\\x',
  `t/${'x'.repeat(1100)}`,
];

/** Keys that no store may take, in every method. */
export function forbiddenKeys(storage: () => ObjectStorage): void {
  describe('forbidden keys', () => {
    it.each(FORBIDDEN.map((key) => [JSON.stringify(key).slice(0, 40), key]))('refuses %s', async (_, key) => {
      const bytes = () => Buffer.from('1');
      expect(await codeOf(storage().put(key, bytes()))).toBe('forbidden_key');
      expect(await codeOf(storage().create(key, bytes()))).toBe('forbidden_key');
      expect(await codeOf(storage().get(key))).toBe('forbidden_key');
      expect(await codeOf(storage().read(key))).toBe('forbidden_key');
      expect(await codeOf(storage().stat(key))).toBe('forbidden_key');
      expect(await codeOf(storage().delete(key))).toBe('forbidden_key');
      expect(await codeOf(storage().localFile(key))).toBe('forbidden_key');
      expect(await keys(storage(), '')).toEqual([]);
    });

    it.each(['../', '/', 't/../', 't//', '..'])('refuses to list %s', async (prefix) => {
      expect(await codeOf(keys(storage(), prefix))).toBe('forbidden_key');
    });
  });
}
