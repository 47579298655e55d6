import { expect, it } from 'vitest';
import { closingCounts, closingLine, sum, vitestCounts } from './report.mjs';

const file = (status: string, ...tests: string[]) => ({
  status,
  assertionResults: tests.map((each) => ({ status: each })),
});

it('counts what passed and what failed', () => {
  const report = { testResults: [file('passed', 'passed', 'passed'), file('failed', 'passed', 'failed')] };
  expect(vitestCounts(report, 1)).toEqual({ passed: 3, failed: 1 });
});

it('takes a skipped or unfinished test for a failure', () => {
  const report = { testResults: [file('passed', 'passed', 'skipped', 'todo', 'pending')] };
  expect(vitestCounts(report, 0)).toEqual({ passed: 1, failed: 3 });
});

it('takes a file that did not load, or holds no test, for a failure', () => {
  expect(vitestCounts({ testResults: [file('passed', 'passed'), file('failed')] }, 1).failed).toBe(1);
  expect(vitestCounts({ testResults: [file('passed', 'passed'), file('passed')] }, 0).failed).toBe(1);
});

it('takes a failing hook after tests that passed for a failure', () => {
  expect(vitestCounts({ testResults: [file('failed', 'passed')] }, 1)).toEqual({ passed: 1, failed: 1 });
});

it('fails when no test ran, when there is no report, and on errors outside of tests', () => {
  expect(vitestCounts({ testResults: [] }, 0)).toEqual({ passed: 0, failed: 1 });
  expect(vitestCounts(undefined, 1)).toEqual({ passed: 0, failed: 1 });
  expect(vitestCounts({ testResults: [file('passed', 'passed')] }, 1)).toEqual({ passed: 1, failed: 1 });
});

it('reads the closing line that it writes, and only as the last line', () => {
  const counts = sum([
    { passed: 3, failed: 0 },
    { passed: 4, failed: 2 },
  ]);
  expect(closingLine(counts)).toBe('7 passed, 2 failed');
  expect(closingCounts(`noise\n${closingLine(counts)}\n`)).toEqual(counts);
  expect(closingCounts('7 passed, 2 failed\nand then it crashed')).toBeUndefined();
  expect(closingCounts('')).toBeUndefined();
});
