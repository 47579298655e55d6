import { expect, test } from 'vitest';
import { tokensText } from './tokens.ts';

test('tokens are numbered in order; long and empty ones too', () => {
  const long = Buffer.alloc(300, 'x');
  const twoBytes = Buffer.from([(300 % 128) + 128, Math.floor(300 / 128)]);
  const file = Buffer.concat([Buffer.from([2]), Buffer.from('ab'), Buffer.from([0]), twoBytes, long]);
  expect(tokensText(file)).toBe(`${btoa('ab')}\t0\n\t1\n${long.toString('base64')}\t2\n`);
});

test('a file that ends inside a token is refused', () => {
  expect(() => tokensText(Buffer.from([5, 1, 2]))).toThrow('ends inside a token');
});
