import type { History, JobRun } from './history.ts';
import { groups, type Invariant, lostStore } from './invariant.ts';

/** What was broken between two moments, as far as a worker noticed it. */
const disturbing = (history: History, worker: string, from: number, to: number) => {
  const role = worker.replace(/\..*/, '');
  const noticed = new Set([role, `${role}/nats`, 'nats', 'stall']);
  return history.disturbances.filter((one) => noticed.has(one.thing) && one.from <= to && one.to >= from);
};

/** How long after the end of its work a worker may still be about to acknowledge. */
const ACK_MS = 3_000;

/** Runs of the same job, or whatever `keyOf` says is the same, one after another. */
const pairs = (runs: readonly JobRun[], keyOf = ({ job }: JobRun) => job) =>
  [...groups(runs, keyOf).values()].flatMap((of) =>
    of.slice(1).map((next, at) => [of[at] as JobRun, next] as const),
  );

/**
 * A split that begins again publishes what it finds no job for. It does not see one that waits for its retry, so there is a
 * second copy of that job, whose attempts count from the beginning.
 */
const copiedBySplit = ({ runs }: History, failed: JobRun, next: JobRun) => {
  const [, id] = failed.job.split('/');
  return (
    next.delivery === 1 &&
    runs.some(
      ({ job, delivery, started_at, ended_at = Number.POSITIVE_INFINITY }) =>
        job.startsWith(`split/${id}/`) &&
        delivery > 1 &&
        started_at <= next.started_at &&
        ended_at >= failed.started_at,
    )
  );
};

export const attemptsAreCounted: Invariant = {
  name: 'I9',
  says: 'a stop burns no attempt, a failure burns one',
  check: (history) => {
    const { stopped, runs } = history;
    const burnt = stopped.flatMap(({ worker, jobs }) =>
      jobs.flatMap((job) => {
        const of = runs.filter((run) => run.job === job);
        const at = of.findIndex((run) => run.worker === worker);
        const [here, next] = [of[at], of[at + 1]];
        if (!here || !next || here.outcome === 'retry') return [];
        return next.attempt > here.attempt ? [`the stop of ${worker} burnt an attempt of ${job}`] : [];
      }),
    );
    const free = pairs(runs)
      .filter(([failed, next]) => failed.outcome === 'retry' && next.attempt === failed.attempt)
      .filter(([failed, next]) => {
        const { worker, started_at, ended_at = started_at } = failed;
        if (next.started_at < ended_at || copiedBySplit(history, failed, next)) return false;
        return disturbing(history, worker, started_at, ended_at + ACK_MS).length === 0;
      })
      .map(([{ job, attempt }]) => `${job} failed and is still at attempt ${attempt}`);
    return [...burnt, ...free];
  },
};

/**
 * A worker that is cut off for longer in all may lose a job before it can acknowledge it: its lease, which runs from the
 * pull, may have two seconds left. One whose connection was only reset can: it comes back and says so again. A broker that
 * was killed may bring a job back early.
 */
const SHORT_MS = 1_200;

export const nothingTwice: Invariant = {
  name: 'I10',
  says: 'what a worker finished and could acknowledge does not come again',
  check: (history) =>
    pairs(history.runs, ({ job, seq }) => `${job} ${seq}`)
      // A broker that is killed may forget that it handed a message out, so that it comes a second time as the first.
      .filter(([done, next]) => done.outcome === 'done' && next.delivery > done.delivery)
      .filter(([{ worker, started_at, ended_at = started_at }, next]) => {
        if (next.started_at < ended_at || lostStore(history, started_at, next.started_at)) return false;
        const cuts = disturbing(history, worker, started_at, ended_at + ACK_MS);
        const cutMs = cuts.reduce((sum, { from, to }) => sum + to - from, 0);
        return cutMs < SHORT_MS && cuts.every(({ thing }) => thing.endsWith('/nats'));
      })
      .map(([{ job, worker }, next]) => `${job} was done by ${worker} and began again at ${next.worker}`),
};
