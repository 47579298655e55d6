import { STREAMS } from '@earshot/contracts';
import type { Broker } from '../connection/broker.ts';
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
