import { STREAMS, type WorkerState, workerSubjects } from '@earshot/contracts';
import { toCodedError } from '@earshot/domain';
import type { Msg } from 'nats';
import type { Broker } from '../connection/broker.ts';
import type { Log } from '../log.ts';
import { StateKeeper } from './state-keeper.ts';

/** What a worker lets others see and do. */
export interface WorkerControlOptions {
  readonly broker: Broker;
  /** `WorkerIdSchema`. */
  readonly id: string;
  /** Its state at this moment. */
  readonly state: () => WorkerState;
  /** Resolves when all child processes are new; running work is not disturbed. Never called again before it settled. */
  readonly restartPool: () => Promise<void>;
  readonly log: Log;
}

/** The worker's side of the control; `stop` ends it and takes its state out of the bucket. Idempotent. */
export interface WorkerControl {
  stop(): Promise<void>;
}

/** What `workers.<id>.restart-pool` is answered with. */
export type RestartAnswer = { readonly ok: true } | { readonly ok: false; readonly detail: string };

/**
 * Answers `workers.ping` and `workers.<id>.restart-pool`, and keeps the state in the bucket `workers`. Both are for
 * people and dashboards: a broker or bucket that is away disturbs nothing, and both come back by themselves.
 */
export function startWorkerControl(options: WorkerControlOptions): WorkerControl {
  const { broker, id, state, log } = options;
  const { connection } = broker;
  const ping = connection.subscribe(workerSubjects.ping, {
    callback: (error, message) => !error && answer(message, state),
  });
  const restart = connection.subscribe(workerSubjects.restartPool(id), {
    callback: (error, message) => !error && void restarted().then((result) => answer(message, () => result)),
  });
  const keeper = new StateKeeper({ broker, stream: STREAMS.workers, id, state, log });
  let restarting: Promise<RestartAnswer> | undefined;

  function restarted(): Promise<RestartAnswer> {
    restarting ??= renew(options).finally(() => {
      restarting = undefined;
    });
    return restarting;
  }

  let stopping: Promise<void> | undefined;
  return {
    stop: () => {
      stopping ??= keeper.stop();
      for (const subscription of [ping, restart]) subscription.unsubscribe();
      return stopping;
    },
  };
}

async function renew({ id, restartPool, log }: WorkerControlOptions): Promise<RestartAnswer> {
  log.info({ worker: id }, 'pool restart asked for');
  try {
    await restartPool();
    log.info({ worker: id }, 'pool restarted');
    return { ok: true };
  } catch (error) {
    const detail = toCodedError(error).message;
    log.warn({ worker: id, detail }, 'pool restart failed');
    return { ok: false, detail };
  }
}

/** A throw inside a callback would end the client's reader; whoever asked asks again when the connection went. */
function answer(message: Msg, document: () => object): void {
  try {
    message.respond(JSON.stringify(document()));
  } catch {}
}
