import { expect, it } from 'vitest';
import { spreadWords } from './spread-words.ts';

const times = (text: string, speech: { start_ms: number; end_ms: number }[]) =>
  spreadWords(text, speech).map(({ start_ms, end_ms }) => [start_ms, end_ms]);

it('gives longer words more time', () => {
  expect(times('a abcdefg', [{ start_ms: 1000, end_ms: 2000 }])).toEqual([
    [1000, 1200],
    [1200, 2000],
  ]);
});

it('puts no word into a pause', () => {
  const spans = [
    { start_ms: 0, end_ms: 1000 },
    { start_ms: 5000, end_ms: 6000 },
  ];
  expect(times('one two six ten', spans)).toEqual([
    [0, 500],
    [500, 1000],
    [5000, 5500],
    [5500, 6000],
  ]);
  for (const [start, end] of times('three words only', spans)) {
    expect((end ?? 0) <= 1000 || (start ?? 0) >= 5000).toBe(true);
  }
});

it('keeps words in order, at least 1 ms long and inside the speech, however crowded', () => {
  for (const count of [1, 7, 40, 99]) {
    const spans = [
      { start_ms: 10, end_ms: 30 },
      { start_ms: 40, end_ms: 41 },
      { start_ms: 60, end_ms: 140 },
    ];
    const words = times(Array.from({ length: count }, (_, n) => 'x'.repeat(1 + (n % 9))).join(' '), spans);
    expect(words).toHaveLength(count);
    let before = 10;
    for (const [start, end] of words) {
      expect(start).toBeGreaterThanOrEqual(before);
      expect(end).toBeGreaterThan(start ?? 0);
      before = end ?? 0;
    }
    expect(before).toBeLessThanOrEqual(140);
  }
});

it('leaves room for short words after a very long one', () => {
  expect(times(`${'x'.repeat(60)} a b c d`, [{ start_ms: 100, end_ms: 106 }])).toEqual([
    [100, 102],
    [102, 103],
    [103, 104],
    [104, 105],
    [105, 106],
  ]);
});
