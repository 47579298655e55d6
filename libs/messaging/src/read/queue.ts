import { STREAMS } from '@earshot/contracts';
import type { Broker } from '../connection/broker.ts';
import { unlessMissing } from '../connection/js-api.ts';
import { type ConsumerLevers, readLevers } from '../levers/read-levers.ts';
import { findStream } from '../topology/lookup.ts';

/** All jobs the broker holds. */
export interface QueueState {
  readonly consumers: readonly ConsumerLevers[];
  /** Jobs that no consumer serves: those that wait for the time of their next attempt. */
  readonly scheduled: number;
}

/** Counts the jobs of every consumer and the scheduled ones: two small answers, however many there are. */
export async function readQueue(broker: Broker): Promise<QueueState> {
  const [consumers, jobs] = await Promise.all([readLevers(broker), findStream(broker.api, STREAMS.jobs)]);
  const served = consumers.reduce((sum, { waiting, inFlight }) => sum + waiting + inFlight, 0);
  return { consumers, scheduled: Math.max(0, (jobs?.state.messages ?? 0) - served) };
}

/** The oldest job of some: where it is in the stream and when it was published. */
export interface OldestJob {
  readonly seq: number;
  readonly at: Date;
}

/**
 * The oldest job that `filter` matches; undefined when there is none. A job leaves the stream with its acknowledgement, so
 * one in work counts. With 100,000 jobs the broker searches for some 30 ms, unless `before`, the answer of the last time,
 * tells where to begin: a later oldest job can only lie behind it.
 */
export async function oldestJob(
  broker: Broker,
  filter: string,
  before?: OldestJob,
): Promise<OldestJob | undefined> {
  if (before && (await find(broker, { seq: before.seq }))) return before;
  return find(broker, { seq: (before?.seq ?? 0) + 1, next_by_subj: filter });
}

async function find(broker: Broker, body: object): Promise<OldestJob | undefined> {
  const operation = `STREAM.MSG.GET.${STREAMS.jobs}`;
  const found = await unlessMissing(
    broker.api.call<{ message: { seq: number; time: string } }>(operation, body),
  );
  return found && { seq: found.message.seq, at: new Date(found.message.time) };
}
