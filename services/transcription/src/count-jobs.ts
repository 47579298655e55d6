import { type ChunkJob, JOB_OUTCOMES, METRICS } from '@earshot/contracts';
import type { JobHandler } from '@earshot/jobs';
import type { LoopEvents } from '@earshot/messaging';
import type { Metrics } from '@earshot/service-kit';

/** Counts the jobs of a loop; of cutting, `engine` is empty: one slot cuts for all of them. */
export function countJobs(metrics: Metrics, stage: 'split' | 'chunk', engine = ''): LoopEvents {
  const which = { stage, engine };
  for (const outcome of JOB_OUTCOMES) metrics.start(METRICS.jobs, { ...which, outcome });
  for (const spec of [METRICS.jobWait, METRICS.jobDuration, METRICS.resultsSecond])
    metrics.start(spec, which);
  return {
    // A later delivery waited while somebody else had the job.
    taken: ({ delivery, waitMs }) => {
      if (delivery === 1) metrics.record(METRICS.jobWait, Math.max(0, waitMs) / 1000, which);
    },
    settled: ({ settled, ms }) => {
      metrics.add(METRICS.jobs, 1, { ...which, outcome: settled });
      metrics.record(METRICS.jobDuration, ms / 1000, which);
    },
    alreadyThere: () => metrics.add(METRICS.resultsSecond, 1, which),
  };
}

/** Wraps a handler to count the audio of chunks that got a result. */
export function countAudio(
  metrics: Metrics,
  engine: string,
  handler: JobHandler<ChunkJob>,
): JobHandler<ChunkJob> {
  metrics.start(METRICS.audioSeconds, { engine });
  return async (job) => {
    const outcome = await handler(job);
    if (outcome.kind === 'done' && outcome.publish.length > 0) {
      metrics.add(METRICS.audioSeconds, (job.data.end_ms - job.data.start_ms) / 1000, { engine });
    }
    return outcome;
  };
}

/** Tells both. */
export const both = (one: LoopEvents, other: LoopEvents): LoopEvents => ({
  taken: (message) => {
    one.taken?.(message);
    other.taken?.(message);
  },
  settled: (message) => {
    one.settled?.(message);
    other.settled?.(message);
  },
  alreadyThere: (subject) => {
    one.alreadyThere?.(subject);
    other.alreadyThere?.(subject);
  },
  surplus: (subject) => {
    one.surplus?.(subject);
    other.surplus?.(subject);
  },
});
