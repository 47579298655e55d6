/**
 * @typedef {{ scenario: string, n: number, p50: number, p99: number, max: number, limit: string }} Figures
 * @typedef {{ testResults?: { assertionResults: { status: string, meta?: { figures?: Figures[] } }[] }[] }} Report
 */

const HEAD = ['scenario', 'n', 'p50', 'p99', 'max', 'limit', ''];

/**
 * What the tests of a vitest JSON report measured, as a table of seconds; rows of failed tests are marked.
 * @param {Report | undefined} report
 */
export function figureTable(report) {
  const tests = (report?.testResults ?? []).flatMap(({ assertionResults }) => assertionResults);
  const rows = tests.flatMap(({ status, meta }) =>
    (meta?.figures ?? []).map((figures) => rowOf(figures, status === 'passed' ? '' : 'FAILED')),
  );
  if (rows.length === 0) return 'nothing was measured';
  const widths = HEAD.map((head, column) =>
    Math.max(...[head, ...rows.map((row) => row[column] ?? '')].map(width)),
  );
  return [HEAD, ...rows]
    .map((row) =>
      row
        .map((cell, n) => align(cell, n, widths[n] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** @param {Figures} figures @param {string} mark */
const rowOf = ({ scenario, n, p50, p99, max, limit }, mark) => [
  scenario,
  String(n),
  ...[p50, p99, max].map((ms) => `${(ms / 1000).toFixed(2)} s`),
  limit,
  mark,
];

/** @param {string} cell */
const width = (cell) => cell.length;

/** Figures to the right, words to the left. @param {string} cell @param {number} column @param {number} size */
const align = (cell, column, size) => (column >= 1 && column <= 4 ? cell.padStart(size) : cell.padEnd(size));
