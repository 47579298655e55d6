import { expect, it } from 'vitest';
import { hearNumbers, sayNumber } from './spoken-numbers.ts';

const say = (numbers: readonly number[]) => {
  const samples = new Int16Array(numbers.length * 16_000);
  for (const [n, number] of numbers.entries()) samples.set(sayNumber(number), n * 16_000);
  return samples;
};

it('hears every number that was said, once and where it was said', () => {
  const numbers = Array.from({ length: 500 }, (_, n) => (n * 7919) % 10_000);
  const heard = hearNumbers(say(numbers));
  expect(heard.map(({ number }) => number)).toEqual(numbers);
  for (const [n, { start_ms, end_ms }] of heard.entries()) {
    expect(Math.abs(start_ms - (n * 1000 + 250))).toBeLessThanOrEqual(2);
    expect(Math.abs(end_ms - (n * 1000 + 650))).toBeLessThanOrEqual(2);
  }
});

it('tells a cut in the middle of a number from one between two', () => {
  const samples = say([1234, 5678]);
  const parts = (at: number) =>
    [samples.subarray(0, at), samples.subarray(at)].flatMap((part) => hearNumbers(part));
  expect(parts(16_000).map(({ number }) => number)).toEqual([1234, 5678]);
  expect(parts(16_000 + 7_200).map(({ number }) => number)).not.toEqual([1234, 5678]);
});
