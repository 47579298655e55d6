import { describe, expect, it } from 'vitest';
import { plainWords, wordErrorRate } from './word-error-rate.ts';

describe('wordErrorRate', () => {
  it.each([
    ['the same text', 'a b c d', 'a b c d', 0],
    ['another case and punctuation', 'Ever tried. Ever failed.', 'ever tried, ever failed', 0],
    ['a replaced word', 'a b c d', 'a x c d', 0.25],
    ['a missing word', 'a b c d', 'a c d', 0.25],
    ['an inserted word', 'a b c d', 'a b b c d', 0.25],
    ['nothing at all', 'a b c d', '', 1],
    ['more than was said', 'a', 'x y z', 3],
    ['words in another order', 'a b', 'b a', 1],
    ['silence for silence', '', '', 0],
    ['words for silence', '', 'thank you', 2],
  ])('of %s', (_, reference, transcript, rate) => {
    expect(wordErrorRate(reference, transcript).rate).toBe(rate);
  });

  it('counts the words it is a rate of', () => {
    expect(wordErrorRate('No matter. Try again!', 'no matter try')).toEqual({
      errors: 1,
      words: 4,
      rate: 0.25,
    });
  });
});

it.each([
  ["Don’t stop 'now'", ["don't", 'now'].toSpliced(1, 0, 'stop')],
  ['well-known—in short', ['well', 'known', 'in', 'short']],
  ['Über 3,5', ['über', '3', '5']],
])('plainWords of %j', (text, words) => {
  expect(plainWords(text)).toEqual(words);
});
