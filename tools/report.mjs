/**
 * Reads the closing line `N passed, N failed` of a program's output; undefined when there is none.
 * @param {string} output
 */
export function closingCounts(output) {
  const line = output.trimEnd().split('\n').at(-1) ?? '';
  const match = /^(\d+) passed, (\d+) failed$/.exec(line.trim());
  return match ? { passed: Number(match[1]), failed: Number(match[2]) } : undefined;
}

/**
 * Counts the tests of a vitest JSON report. A skipped test, a file that could not be loaded and an error outside of
 * any test are failures: each of them means that something was not checked.
 * @param {{ success?: boolean, testResults?: { status: string, assertionResults: { status: string }[] }[] } | undefined} report
 * @param {number} exitCode of the vitest process
 */
export function vitestCounts(report, exitCode) {
  const files = report?.testResults ?? [];
  const tests = files.flatMap((file) => file.assertionResults);
  const passed = tests.filter((test) => test.status === 'passed').length;
  const brokenFiles = files.filter(
    (file) =>
      file.assertionResults.length === 0 ||
      (file.status === 'failed' && file.assertionResults.every((test) => test.status === 'passed')),
  ).length;
  const failed = tests.length - passed + brokenFiles;
  const unexplained = failed === 0 && (exitCode !== 0 || passed === 0);
  return { passed, failed: unexplained ? 1 : failed };
}

/** @param {{ passed: number, failed: number }[]} counts */
export function sum(counts) {
  return counts.reduce((all, one) => ({ passed: all.passed + one.passed, failed: all.failed + one.failed }), {
    passed: 0,
    failed: 0,
  });
}

/**
 * The closing line of every test command of this repository.
 * @param {{ passed: number, failed: number }} counts
 */
export const closingLine = ({ passed, failed }) => `${passed} passed, ${failed} failed`;
