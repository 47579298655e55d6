import { setTimeout as pause } from 'node:timers/promises';
import type { readQueue } from '@earshot/messaging';
import type { Logger } from '@earshot/service-kit';

export interface QueueLogOptions {
  readonly read: () => ReturnType<typeof readQueue>;
  readonly log: Logger;
  /** Default 30 s. */
  readonly everyMs?: number;
}

/**
 * Logs `queue length` at once and every half minute until it is stopped, whether or not anybody works: `queue_length` is what
 * waits and what is in work. Its form is that of the filter in `deploy/ecs/queue-length-filter.yaml`.
 */
export function logQueueLength({ read, log, everyMs = 30_000 }: QueueLogOptions): { stop(): Promise<void> } {
  const stop = new AbortController();
  const tell = async () => {
    try {
      const { consumers, scheduled } = await read();
      const waiting = consumers.reduce((sum, one) => sum + one.waiting, 0);
      const active_tasks = consumers.reduce((sum, one) => sum + one.inFlight, 0);
      const fields = {
        queue_length: waiting + active_tasks,
        waiting,
        active_tasks,
        scheduled_tasks: scheduled,
      };
      log.info(fields, 'queue length');
    } catch (err) {
      log.warn({ err }, 'the queue length cannot be read now');
    }
  };
  const run = async () => {
    while (!stop.signal.aborted) {
      await tell();
      await pause(everyMs, undefined, { signal: stop.signal }).catch(() => undefined);
    }
  };
  const running = run();
  return {
    stop: () => {
      stop.abort();
      return running;
    },
  };
}
