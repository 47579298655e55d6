import type { LogLine } from './service-process.ts';
import type { WorkerProcess } from './worker-process.ts';

/** One run of a job by one worker, as the worker's log tells of it; times are milliseconds since the epoch. */
export interface JobRun {
  readonly worker: WorkerProcess;
  readonly stage: 'split' | 'chunk';
  readonly transcript_id: string;
  readonly n: number;
  readonly attempt: number;
  readonly delivery: number;
  readonly startedAt: number;
  /** Undefined while it runs, and for ever when its worker was killed. */
  readonly finishedAt: number | undefined;
  readonly outcome: string | undefined;
}

/** Every run of the jobs that `matches`, oldest first. */
export function jobRuns(
  workers: readonly WorkerProcess[],
  matches: (run: JobRun) => boolean = () => true,
): JobRun[] {
  return workers
    .flatMap(runsOf)
    .filter(matches)
    .sort((a, b) => a.startedAt - b.startedAt);
}

function runsOf(worker: WorkerProcess): JobRun[] {
  const finished = new Map(
    worker.lines.filter(({ msg }) => msg === 'job finished').map((line) => [keyOf(line), line] as const),
  );
  return worker.lines
    .filter(({ msg }) => msg === 'job started')
    .map((line) => {
      const end = finished.get(keyOf(line));
      return {
        worker,
        stage: line.stage as JobRun['stage'],
        transcript_id: String(line.transcript_id),
        n: Number(line.n ?? 0),
        attempt: Number(line.attempt),
        delivery: Number(line.delivery),
        startedAt: line.at,
        finishedAt: end?.at,
        outcome: end?.outcome as string | undefined,
      };
    });
}

/** A worker never has the same delivery twice, except of a job that was published again. */
const keyOf = (line: LogLine) =>
  [line.stage, line.transcript_id, line.plan, line.n, line.attempt, line.delivery].join('/');
