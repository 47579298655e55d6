import { expect, it } from 'vitest';
import { dropLoops } from './drop-loops.ts';

it.each([
  ['a phrase said over and over', 'a b c a b c a b c d', 'a b c d'],
  ['whatever its case and punctuation', 'I know. i know, I know I KNOW!', 'I know.'],
  ['a single word, six times', 'well no no no no no no', 'well no'],
  [
    'a phrase of seven words, seven times',
    Array(7).fill('the last seven words of a recording').join(' '),
    'the last seven words of a recording',
  ],
  ['two loops', 'x y x y x y and z w z w z w', 'x y and z w'],
])('cuts %s to one', (_, text, expected) => {
  expect(dropLoops(text)).toBe(expected);
});

it.each([
  ['someone insists', 'no no no no no'],
  ['something is said twice', 'we were all going direct to heaven we were all going direct to heaven'],
  ['a poem resembles itself', 'it was the best of times it was the worst of times it was the age of wisdom'],
  ['there is nothing', ''],
])('changes nothing when %s', (_, text) => {
  expect(dropLoops(text)).toBe(text);
});
