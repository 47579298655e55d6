import {
  type ChannelMode,
  chunkJob,
  type Lane,
  type MessageContext,
  type OutgoingMessage,
  splitJob,
} from '@earshot/contracts';
import type { UnfinishedWork } from '../store/sql/unfinished.ts';

const context: MessageContext = { source: 'earshot/results' };

/** The jobs that `work` needs and that are not in `present`; one to cut the recording while its cuts are not all known. */
export function missingJobs(work: UnfinishedWork, present: ReadonlySet<string>): OutgoingMessage[] {
  const wanted = work.plan === null ? [splitJobOf(work)] : chunkJobsOf(work, work.plan);
  return wanted.filter(({ subject }) => !present.has(subject));
}

const common = (work: UnfinishedWork) => ({
  tenant_id: work.tenant_id,
  transcript_id: work.id,
  generation: work.generation,
  attempt: 1,
  engine: work.engine,
  lane: work.lane as Lane,
  channels: (work.channels ?? 'auto') as ChannelMode,
  ...(work.language === null ? {} : { language: work.language }),
});

function splitJobOf(work: UnfinishedWork): OutgoingMessage {
  const accepted_at = work.accepted_at.toISOString();
  return splitJob.create({ ...common(work), plan: 1, key: work.key, accepted_at }, context);
}

const chunkJobsOf = (work: UnfinishedWork, plan: number): OutgoingMessage[] =>
  (work.missing ?? []).map(({ n, start_ms, end_ms, key }) =>
    chunkJob.create({ ...common(work), plan, n, start_ms, end_ms, key }, context),
  );
