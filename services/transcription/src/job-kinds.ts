import {
  type ChunkJob,
  type CloudEvent,
  chunkJob,
  factSubjects,
  gaveUp,
  type SplitJob,
  splitJob,
} from '@earshot/contracts';
import type { CodedError } from '@earshot/domain';
import type { JobKind } from '@earshot/jobs';

/** The CloudEvents source of all that this service publishes. */
export const SOURCE = 'earshot/transcription';

/** How the loop reads, retries and gives up on split jobs. */
export const splitJobs: JobKind<SplitJob> = {
  read: (event) => splitJob.read(event as CloudEvent),
  attempt: (job) => job.attempt,
  withAttempt: (job, attempt, traceparent) =>
    splitJob.create({ ...job, attempt }, { source: SOURCE, traceparent }),
  gaveUp: (job, error, evidence, traceparent) =>
    gaveUp.create(
      { ...identity(job), stage: 'split', n: 0, ...failure(error, evidence, traceparent), job },
      { source: SOURCE, traceparent },
    ),
  statesSubject: (job) => statesOf(job),
};

/** How the loop reads, retries and gives up on chunk jobs. */
export const chunkJobs: JobKind<ChunkJob> = {
  read: (event) => chunkJob.read(event as CloudEvent),
  attempt: (job) => job.attempt,
  withAttempt: (job, attempt, traceparent) =>
    chunkJob.create({ ...job, attempt }, { source: SOURCE, traceparent }),
  gaveUp: (job, error, evidence, traceparent) => {
    const { n, start_ms, end_ms } = job;
    const what = { ...identity(job), stage: 'chunk' as const, n, start_ms, end_ms, job };
    return gaveUp.create(
      { ...what, ...failure(error, evidence, traceparent) },
      { source: SOURCE, traceparent },
    );
  },
  statesSubject: (job) => statesOf(job),
};

function identity({ tenant_id, transcript_id, plan, generation, attempt }: SplitJob | ChunkJob) {
  return { tenant_id, transcript_id, plan, generation, attempt };
}

function statesOf({ tenant_id, transcript_id }: SplitJob | ChunkJob): string {
  return factSubjects(tenant_id, transcript_id).states;
}

function failure(
  error: CodedError,
  evidence: { worker: string; stderr_tail?: string | undefined },
  traceparent: string | undefined,
) {
  const trace = traceIdOf(traceparent);
  return {
    code: error.code,
    evidence: {
      detail: error.message,
      worker: evidence.worker,
      ...(error.errors.length > 0 ? { errors: [...error.errors] } : {}),
      ...(evidence.stderr_tail ? { stderr_tail: evidence.stderr_tail } : {}),
      ...(trace ? { trace_id: trace } : {}),
    },
  };
}

/** The trace id inside a W3C traceparent. */
export function traceIdOf(traceparent: string | undefined): string | undefined {
  return /^[0-9a-f]{2}-([0-9a-f]{32})-/.exec(traceparent ?? '')?.[1];
}
