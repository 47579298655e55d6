import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

const root = join(import.meta.dirname, '..');
const page = readFileSync(join(root, 'docs/reliability.md'), 'utf8');
const FAULTS = 32;

/** Number and last cell of each row of the table of faults. */
const rows = [...page.matchAll(/^\| (\d+) \| [^|]+ \| ([^|]+) \|$/gm)].map(([, n = '', cell = '']) => ({
  n: Number(n),
  tests: [...cell.matchAll(/`([^`]+\.test\.ts)`: (.+?)(?=<br>|$)/g)].map(([, file = '', name = '']) => ({
    file,
    name,
  })),
  later: /^\*later: .+\*$/.test(cell),
}));

it('lists every fault of the catalogue once', () => {
  expect(rows.map(({ n }) => n)).toEqual(Array.from({ length: FAULTS }, (_, n) => n + 1));
});

it('says of every fault by which test it is made, or with what it comes', () => {
  expect(rows.filter(({ tests, later }) => later === tests.length > 0)).toEqual([]);
});

it.each(rows.flatMap(({ n, tests }) => tests.map((test) => ({ n, ...test }))))(
  'names a test of fault $n that exists: $name',
  ({ file, name }) => {
    expect(readFileSync(join(root, file), 'utf8').replaceAll("\\'", "'")).toContain(name);
  },
);
