import { parseWorkerState, type WorkerState, workerSubjects } from '@earshot/contracts';
import { CodedError } from '@earshot/domain';
import type { Msg } from 'nats';
import type { Broker } from '../connection/broker.ts';
import { readFreshStates } from './read-worker-states.ts';
import type { RestartAnswer } from './worker-control.ts';

/**
 * A round trip to every live worker; the states of those that answered within `withinMs`, sorted by id. Ends early when
 * all that are known from the bucket have answered, or when nobody listens. Throws `unavailable` without a connection.
 */
export async function pingWorkers(broker: Broker, withinMs: number): Promise<WorkerState[]> {
  if (!(await broker.link.whenConnected(withinMs))) {
    throw new CodedError('unavailable', 'NATS is not connected');
  }
  const answers = new Map<string, WorkerState>();
  let known: readonly string[] | undefined;
  await new Promise<void>((resolve) => {
    const inbox = broker.newInbox();
    const finish = () => {
      clearTimeout(timer);
      subscription.unsubscribe();
      resolve();
    };
    const endEarly = () => known?.length && known.every((id) => answers.has(id)) && finish();
    const subscription = broker.connection.subscribe(inbox, {
      callback: (error, message) => {
        if (error || isNobody(message)) return finish();
        const state = parseWorkerState(message.string());
        if (state) answers.set(state.id, state);
        endEarly();
      },
    });
    const timer = setTimeout(finish, withinMs);
    broker.connection.publish(workerSubjects.ping, '', { reply: inbox });
    readFreshStates(broker, withinMs).then(
      (states) => {
        known = states.map(({ id }) => id);
        endEarly();
      },
      () => undefined,
    );
  });
  return [...answers.values()].sort((one, other) => (one.id < other.id ? -1 : 1));
}

/** The broker's own answer where no worker listens. */
const isNobody = (message: Msg) => message.headers?.code === 503 && message.data.length === 0;

/** Renews the child processes of the named workers, at the same time; returns those that did within `withinMs`. */
export async function restartPools(
  broker: Broker,
  ids: readonly string[],
  withinMs: number,
): Promise<string[]> {
  const restarted = await Promise.all(ids.map((id) => restartPool(broker, id, withinMs)));
  return ids.filter((_, index) => restarted[index]);
}

async function restartPool(broker: Broker, id: string, timeoutMs: number): Promise<boolean> {
  try {
    const reply = await broker.requests.request(workerSubjects.restartPool(id), '', { timeoutMs });
    return reply.json<RestartAnswer>().ok;
  } catch {
    return false;
  }
}
