import { expect, it } from 'vitest';
import { figureTable } from './figure-table.mjs';

const figures = (scenario: string, max: number) => ({
  ...{ scenario, n: 3, p50: 1_000, p99: max, max, limit: 'max ≤ 10 s' },
});
const report = (...tests: { status: string; meta?: { figures?: ReturnType<typeof figures>[] } }[]) => ({
  testResults: [{ assertionResults: tests }],
});

it('prints what was measured in seconds, in columns, and marks what failed', () => {
  const table = figureTable(
    report(
      { status: 'passed', meta: { figures: [figures('kill', 4_321)] } },
      { status: 'passed' },
      { status: 'failed', meta: { figures: [figures('a longer name', 12_000)] } },
    ),
  );
  expect(table.split('\n')).toEqual([
    'scenario       n     p50      p99      max  limit',
    'kill           3  1.00 s   4.32 s   4.32 s  max ≤ 10 s',
    'a longer name  3  1.00 s  12.00 s  12.00 s  max ≤ 10 s  FAILED',
  ]);
});

it.each([undefined, {}, report({ status: 'failed' })])('says so when nothing was measured', (empty) => {
  expect(figureTable(empty)).toBe('nothing was measured');
});
