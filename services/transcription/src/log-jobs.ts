import type { JobHandler, Outcome } from '@earshot/jobs';
import type { Log } from '@earshot/messaging';
import { traceIdOf } from './job-kinds.ts';

interface AnyJob {
  readonly tenant_id: string;
  readonly transcript_id: string;
  readonly plan: number;
  readonly n?: number;
  readonly attempt: number;
  readonly engine: string;
}

/** Wraps a handler with the log lines `job started` and `job finished`. */
export function logJobs<Data extends AnyJob>(
  stage: 'split' | 'chunk',
  log: Log,
  handler: JobHandler<Data>,
): JobHandler<Data> {
  return async (job) => {
    const { transcript_id, tenant_id, plan, n, attempt, engine } = job.data;
    const where = { stage, transcript_id, tenant_id, plan, ...(n === undefined ? {} : { n }), engine };
    const { delivery, seq } = job;
    const fields = { ...where, attempt, delivery, seq, trace_id: traceIdOf(job.traceparent) };
    log.info(fields, 'job started');
    const started = performance.now();
    const outcome = await handler(job);
    const seconds = Math.round(performance.now() - started) / 1000;
    const finished = { ...fields, outcome: outcome.kind, seconds, ...failureOf(outcome) };
    if (outcome.kind === 'retry' || outcome.kind === 'give_up') log.warn(finished, 'job finished');
    else log.info(finished, 'job finished');
    return outcome;
  };
}

function failureOf(outcome: Outcome): { code?: string; detail?: string } {
  if (outcome.kind !== 'retry' && outcome.kind !== 'give_up') return {};
  return { code: outcome.error.code, detail: outcome.error.message };
}
