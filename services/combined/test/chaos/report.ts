import type { ChaosReport, Verdict } from './run-chaos.ts';
import { describeStep, type Step } from './schedule.ts';

const SHOWN = 3;

export const failed = ({ verdicts }: Pick<ChaosReport, 'verdicts'>) =>
  verdicts.some(({ findings }) => findings.length > 0);

const countOf = (schedule: readonly Step[], kind: string) =>
  schedule.filter(({ fault }) => fault.kind === kind).length;

function row({ name, says, looked_at, findings }: Verdict): string[] {
  const mark = findings.length === 0 ? 'ok  ' : 'FAIL';
  const first = findings.slice(0, SHOWN).map((words) => `        ${words}`);
  return [
    `${mark} ${name}  ${String(looked_at).padStart(7)}  ${String(findings.length).padStart(4)}  ${says}`,
    ...first,
  ];
}

/** The table of a run, and how to run it again when something was found. */
export function reportLines(report: ChaosReport, replay: string): string[] {
  const { schedule, jobs, recordings, seconds, repeats, stalled_ms, requests, verdicts } = report;
  const faults = `${countOf(schedule, 'kill')} kills, ${countOf(schedule, 'partition')} partitions, ${schedule.length} faults`;
  const lines = [
    '',
    `seed ${report.seed}: ${jobs} chunk jobs of ${recordings} recordings, ${faults}`,
    `${seconds} s, ${(jobs / seconds).toFixed(1)} jobs/s; ${report.machine}`,
    `the broker, or the whole machine, stood still: ${(stalled_ms / 1_000).toFixed(1)} s`,
    `recordings sent again: ${repeats}; reads: ${requests.made}, sent again ${requests.repeated}, given up ${requests.unanswered}`,
    '',
    '     rule   looked  found',
    ...verdicts.flatMap(row),
  ];
  if (!failed(report)) return lines;
  return [
    ...lines,
    '',
    'Schedule:',
    ...schedule.map(describeStep),
    '',
    `Again: npm run test:chaos -- ${replay}`,
    `History and logs: ${report.kept}`,
  ];
}
