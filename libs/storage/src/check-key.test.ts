import { describe, expect, it } from 'vitest';
import { checkKey, checkTenantKey } from './check-key.ts';
import { storageKeys } from './keys.ts';

describe('a key from outside', () => {
  it.each(['a/b.wav', 'default/in/ünï code (1).mp3', 'a/%2e%2e/b', '...'])('may be %j', (key) => {
    expect(checkKey(key)).toBe(key);
  });

  it.each([
    '',
    '/a',
    'a/',
    'a//b',
    '.',
    'a/../b',
    '..',
    'a\\b',
    'a\u0000b',
    'a\nb',
    'a/\u007f',
    'x'.repeat(1025),
  ])('may not be %j', (key) => {
    expect(() => checkKey(key)).toThrow(expect.objectContaining({ code: 'forbidden_key' }));
  });

  it('must lie under its tenant, whose name is no mere prefix', () => {
    expect(checkTenantKey('acme', 'acme/in/a.wav')).toBe('acme/in/a.wav');
    for (const key of ['acme', 'acme-2/in/a.wav', 'other/a.wav', 'acme/../other/a.wav']) {
      expect(() => checkTenantKey('acme', key)).toThrow(expect.objectContaining({ code: 'forbidden_key' }));
    }
  });
});

it('keeps everything of a transcript under one prefix of its tenant, and the manifest beside it', () => {
  const keys = storageKeys('acme', 'id-1');
  const parts = [keys.chunk(1, 2, 'r'), keys.cut(1, 2), keys.call(1, 2, 'google', 1), keys.peaks(1)];
  for (const key of [keys.bytes('r'), ...parts, keys.fact('r')]) {
    expect(checkTenantKey('acme', key).startsWith(keys.prefix)).toBe(true);
  }
  expect(keys.manifest.startsWith(keys.prefix)).toBe(false);
  expect(checkTenantKey('acme', keys.manifest)).toBe('acme/recordings/id-1.json');
});
