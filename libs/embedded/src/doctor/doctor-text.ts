import type { DoctorRow } from './doctor.ts';

/** The report as people read it: a line for each row, then what is missing and what to do about it. */
export function doctorText(rows: readonly DoctorRow[]): string {
  const problems = rows.filter((row) => row.problem !== undefined);
  const explained = problems.map(
    ({ part, problem, help }) => `\n${part}: ${problem}\n${help === undefined ? '' : `${help}\n`}`,
  );
  const end = problems.length > 0 ? explained.join('') : '\nNothing required is missing.\n';
  return `${rows.map(line).join('')}${end}`;
}

function line({ part, found, version, where, source, problem }: DoctorRow): string {
  const mark = problem === undefined ? (found ? 'ok  ' : '-   ') : 'FAIL';
  const more = [version, source && `[${source}]`, where].filter(Boolean).join('  ');
  return `${mark} ${part.padEnd(16)} ${problem ?? more}\n`;
}
