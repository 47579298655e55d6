import { expect, it } from 'vitest';
import { findLoss, type StreamEvidence } from './find-loss.ts';

const healthy: StreamEvidence = {
  missing: [],
  births: new Map([['JOBS', 1_000]]),
  knownBirths: new Map([['JOBS', 1_000]]),
  facts: { first_seq: 5, last_seq: 9, ack_floor: 7 },
  storedUpTo: 8,
};

it('sees no loss in a stream that is being read, is empty, or was never seen before', () => {
  expect(findLoss(healthy)).toBeUndefined();
  expect(
    findLoss({ ...healthy, facts: { first_seq: 8, last_seq: 7, ack_floor: 7 }, storedUpTo: 7 }),
  ).toBeUndefined();
  expect(findLoss({ ...healthy, knownBirths: new Map(), storedUpTo: undefined })).toBeUndefined();
});

it.each<[string, Partial<StreamEvidence>, string]>([
  ['a part that is missing', { missing: ['JOBS/split-low'] }, 'missing: JOBS/split-low'],
  ['a stream made again', { births: new Map([['JOBS', 2_000]]) }, 're-made: JOBS'],
  ['facts restored from an older copy', { storedUpTo: 10 }, 'facts end at 9'],
  [
    'facts that were removed unread',
    { facts: { first_seq: 9, last_seq: 9, ack_floor: 7 } },
    'facts begin at 9',
  ],
])('takes %s for a loss', (_, change, words) => {
  expect(findLoss({ ...healthy, ...change })).toContain(words);
});
