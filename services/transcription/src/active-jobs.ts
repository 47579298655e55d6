import type { ChunkJob, SplitJob, WorkerState } from '@earshot/contracts';
import type { JobHandler } from '@earshot/jobs';

type ActiveJob = WorkerState['active_jobs'][number];

/** The jobs in work, longest first, so that a stuck one can be seen from outside. */
export class ActiveJobs {
  readonly #jobs = new Set<ActiveJob>();
  #lastAt = performance.now();

  /** Wraps a handler so that its jobs are listed while it runs. */
  track<Data extends SplitJob | ChunkJob>(
    stage: ActiveJob['stage'],
    handler: JobHandler<Data>,
  ): JobHandler<Data> {
    return async (job) => {
      const { tenant_id, transcript_id, engine, lane, plan, attempt } = job.data;
      const n = 'n' in job.data ? job.data.n : null;
      const started_at = new Date().toISOString();
      const active = { stage, tenant_id, transcript_id, engine, lane, plan, n, attempt, started_at };
      this.#jobs.add(active);
      try {
        return await handler(job);
      } finally {
        this.#jobs.delete(active);
        this.#lastAt = performance.now();
      }
    };
  }

  list(): ActiveJob[] {
    return [...this.#jobs];
  }

  /** Milliseconds since the last of them ended, or since the start; 0 while there is one. */
  idleMs(): number {
    return this.#jobs.size > 0 ? 0 : performance.now() - this.#lastAt;
  }
}
