import { type ChunkJob, factSubjects, gaveUp } from '@earshot/contracts';
import type { FactReader } from '@earshot/jobs';

/** True when nobody waits for this chunk any more: it has its result, or its generation gave up on it. */
export async function isSettled(facts: FactReader, job: ChunkJob): Promise<boolean> {
  const subjects = factSubjects(job.tenant_id, job.transcript_id);
  if (await facts.last(subjects.chunk(job.plan, job.n))) return true;
  const failure = await facts.last(subjects.gaveUp('chunk', job.plan, job.n));
  return failure !== undefined && gaveUp.read(failure.event).generation >= job.generation;
}

/** States that nothing leads back from; a `partial` or `failed` transcript may be sent round again. */
const CLOSED = new Set<string | undefined>(['completed', 'canceled', 'deleted']);

/** True when the transcript is closed: its chunk objects are gone, and late copies of its jobs have nothing to do. */
export async function isClosed(facts: FactReader, job: ChunkJob): Promise<boolean> {
  const state = await facts.last(factSubjects(job.tenant_id, job.transcript_id).states);
  return state !== undefined && CLOSED.has(state.subject.split('.').at(-1));
}
