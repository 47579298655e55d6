import type { LogLine, ServiceProcess } from '../faults/service-process.ts';
import type { JobRun } from './history.ts';

/** Which job a line is about, whatever its attempt. */
const jobOf = (line: LogLine) =>
  [line.stage, line.transcript_id, line.plan, line.n].filter((part) => part !== undefined).join('/');

const runKey = (line: LogLine) => `${jobOf(line)}/${line.attempt}/${line.delivery}/${line.seq}`;

/** The jobs that a worker began and has not ended. */
export function jobsIn({ lines }: Pick<ServiceProcess, 'lines'>): string[] {
  const open = new Set<string>();
  for (const line of lines) {
    if (line.msg === 'job started') open.add(jobOf(line));
    if (line.msg === 'job finished') open.delete(jobOf(line));
  }
  return [...open];
}

/** Every run of a job, in the order in which they began. */
export function runsIn(workers: readonly Pick<ServiceProcess, 'name' | 'lines'>[]): JobRun[] {
  return workers.flatMap(runsOf).sort((a, b) => a.started_at - b.started_at);
}

/** The same delivery of a job may come to a worker twice, when the job was published again after its store was lost. */
function runsOf({ name, lines }: Pick<ServiceProcess, 'name' | 'lines'>): JobRun[] {
  const runs: JobRun[] = [];
  const open = new Map<string, number>();
  for (const line of lines) {
    const key = runKey(line);
    if (line.msg === 'job started') open.set(key, runs.push(startOf(name, line)) - 1);
    if (line.msg !== 'job finished') continue;
    const at = open.get(key) ?? -1;
    const run = runs[at];
    if (run) runs[at] = { ...run, ended_at: line.at, outcome: line.outcome as string | undefined };
    open.delete(key);
  }
  return runs;
}

const startOf = (worker: string, line: LogLine): JobRun => ({
  worker,
  job: jobOf(line),
  attempt: Number(line.attempt),
  delivery: Number(line.delivery),
  seq: Number(line.seq),
  started_at: line.at,
  ended_at: undefined,
  outcome: undefined,
});

/** Tries of paid calls whose result served its chunk although it could not be written into the ledger, for want of room. */
export const unwrittenTries = (workers: readonly Pick<ServiceProcess, 'lines'>[]): Set<string> =>
  new Set(
    workers
      .flatMap(({ lines }) => lines)
      .filter(({ msg }) => msg === 'the result of a paid call was not stored')
      .map((line) => String(line.try)),
  );
