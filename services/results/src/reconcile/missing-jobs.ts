import { chunkJob, type OutgoingMessage, splitJob } from '@earshot/contracts';
import { SOURCE } from '../relay/final-message.ts';
import { chunkJobData, splitJobData } from '../store/job-data.ts';
import type { UnfinishedWork } from '../store/sql/unfinished.ts';

const FIRST_PLAN = 1;

/** The jobs that `work` needs and that are not in `present`; one to cut the recording while its cuts are not all known. */
export function missingJobs(work: UnfinishedWork, present: ReadonlySet<string>): OutgoingMessage[] {
  return wantedJobs(work).filter(({ subject }) => !present.has(subject));
}

function wantedJobs(work: UnfinishedWork): OutgoingMessage[] {
  const { plan, missing, generation } = work;
  const context = { source: SOURCE, traceparent: work.traceparent ?? undefined };
  if (plan === null) return [splitJob.create(splitJobData(work, FIRST_PLAN, generation), context)];
  return missing.map((chunk) => chunkJob.create(chunkJobData(work, plan, chunk, generation), context));
}
