import { LANES, type WorkerState } from '@earshot/contracts';
import type { Broker } from '../connection/broker.ts';
import { pingWorkers } from './ask-workers.ts';

/** A worker as everybody may see it: how much it does, not for whom. */
export type ListedWorker = Omit<WorkerState, 'active_jobs'> & {
  /** Those it takes work from. */
  readonly lanes: readonly string[];
  readonly active_jobs: number;
};

/** A round trip to every live worker, for health; see `pingWorkers`. */
export async function listWorkers(broker: Broker, withinMs = 2_000): Promise<ListedWorker[]> {
  const states = await pingWorkers(broker, withinMs);
  return states.map((state) => ({ ...state, lanes: LANES, active_jobs: state.active_jobs.length }));
}
