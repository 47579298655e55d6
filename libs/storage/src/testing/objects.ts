import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import type { ObjectStorage } from '../object-storage.ts';
import { codeOf, keys, stream, text } from './bytes.ts';

const ODD_NAMES = [
  't/with space/a b.wav',
  't/ümläut/日本語/🎧.wav',
  't/literal%2e%2e%2fpercent/%00',
  't/quote"\'`$(x);&|<>*?#~',
  't/-dash/--help',
  't/..hidden/...three/.dot',
  't/UPPER/lower',
  `t/${'n'.repeat(200)}`,
];

/** One object at a time: write, read, replace, remove. */
export function objects(storage: () => ObjectStorage): void {
  describe('one object', () => {
    it('gives back what was put, from bytes and from a stream', async () => {
      await storage().put('t/a/bytes', Buffer.from('hello'));
      await storage().put('t/a/stream', stream(['he', 'll', 'o']));
      await storage().put('t/a/empty', Buffer.alloc(0));
      expect(await text(storage(), 't/a/bytes')).toBe('hello');
      expect(await text(storage(), 't/a/stream')).toBe('hello');
      expect(await text(storage(), 't/a/empty')).toBe('');
    });

    it('describes it the same way from put, stat and list', async () => {
      const before = Date.now();
      const put = await storage().put('t/a', Buffer.from('12345'));
      expect(put).toMatchObject({ key: 't/a', size_bytes: 5 });
      expect(Math.abs(put.modified_at.getTime() - before)).toBeLessThan(60_000);
      expect(await storage().stat('t/a')).toEqual(put);
      for await (const listed of storage().list('t/')) expect(listed).toEqual(put);
    });

    it('changes the version with every write', async () => {
      const versions = new Set<string>();
      for (let i = 0; i < 5; i += 1) versions.add((await storage().put('t/a', Buffer.from('same'))).version);
      expect(versions.size).toBe(5);
    });

    it('reads ranges with an inclusive end and stops at the end of the object', async () => {
      await storage().put('t/a', Buffer.from('0123456789'));
      expect(await text(storage(), 't/a', { start: 0, end: 0 })).toBe('0');
      expect(await text(storage(), 't/a', { start: 3, end: 5 })).toBe('345');
      expect(await text(storage(), 't/a', { start: 7 })).toBe('789');
      expect(await text(storage(), 't/a', { start: 8, end: 500 })).toBe('89');
    });

    it('tells a missing object from an empty one', async () => {
      expect(await codeOf(storage().get('t/none'))).toBe('missing_object');
      expect(await codeOf(storage().localFile('t/none'))).toBe('missing_object');
      expect(await storage().stat('t/none')).toBeUndefined();
      expect(await storage().read('t/none')).toBeUndefined();
    });

    it('does not take a folder of objects for an object', async () => {
      await storage().put('t/folder/a', Buffer.from('1'));
      expect(await storage().stat('t/folder')).toBeUndefined();
      expect(await codeOf(storage().get('t/folder'))).toBe('missing_object');
      await storage().delete('t/folder');
      expect(await keys(storage(), 't/')).toEqual(['t/folder/a']);
    });

    it('deletes, again and again', async () => {
      await storage().put('t/x/y/z', Buffer.from('1'));
      await storage().delete('t/x/y/z');
      await storage().delete('t/x/y/z');
      await storage().delete('t/never/was');
      expect(await storage().stat('t/x/y/z')).toBeUndefined();
      expect(await keys(storage(), '')).toEqual([]);
      await storage().put('t/x/y', Buffer.from('now an object'));
      expect(await text(storage(), 't/x/y')).toBe('now an object');
    });

    it('refuses to read more into memory than asked for', async () => {
      await storage().put('t/a', Buffer.alloc(1001, 'x'));
      expect((await storage().read('t/a', 1001))?.length).toBe(1001);
      expect(await codeOf(storage().read('t/a', 1000))).toBe('storage_error');
    });

    it.each(ODD_NAMES)('keeps the name %s literally', async (key) => {
      await storage().put(key, Buffer.from(key));
      expect(await storage().create(key, Buffer.from('other'))).toBe(false);
      expect(await text(storage(), key)).toBe(key);
      expect(await keys(storage(), '')).toEqual([key]);
      await storage().delete(key);
      expect(await keys(storage(), '')).toEqual([]);
    });

    it('lends a file with the bytes and takes it back', async () => {
      await storage().put('t/a', Buffer.from('on disk'));
      const file = await storage().localFile('t/a');
      expect(await readFile(file.path, 'utf8')).toBe('on disk');
      await file.release();
      expect(await text(storage(), 't/a')).toBe('on disk');
    });

    it('lets a reader finish the version it opened', async () => {
      await storage().put('t/a', Buffer.alloc(300_000, 'a'));
      const reading = await storage().get('t/a');
      await storage().put('t/a', Buffer.from('b'));
      let seen = '';
      for await (const part of reading) seen += part;
      expect(new Set(seen)).toEqual(new Set(['a']));
      expect(seen.length).toBe(300_000);
    });

    it('closes more than once', async () => {
      await storage().close();
      await storage().close();
    });
  });
}
