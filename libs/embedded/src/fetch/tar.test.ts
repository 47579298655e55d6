import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { readFromTgz } from './tar.ts';

function tgz(files: Record<string, string>): Buffer {
  const blocks = Object.entries(files).flatMap(([name, text]) => {
    const header = Buffer.alloc(512);
    header.write(name);
    header.write(text.length.toString(8).padStart(11, '0'), 124);
    return [header, Buffer.from(text.padEnd(Math.ceil(text.length / 512) * 512, '\0'))];
  });
  return gzipSync(Buffer.concat([...blocks, Buffer.alloc(1024)]));
}

test('one file is read out of a package', () => {
  const archive = tgz({ 'package/a': 'x'.repeat(700), 'package/b': 'wanted' });
  expect(readFromTgz(archive, 'package/b').toString()).toBe('wanted');
});

test('a missing file and a damaged package are refused', () => {
  expect(() => readFromTgz(tgz({ a: 'x' }), 'package/b')).toThrow('does not contain');
  expect(() => readFromTgz(tgz({ a: 'x' }).subarray(0, 20), 'a')).toThrow('damaged');
});
