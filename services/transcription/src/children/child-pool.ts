import type { CodedError } from '@earshot/domain';
import type { EngineInput, EngineOptions } from '@earshot/engine';
import type { Log } from '@earshot/messaging';
import type { EngineResult } from '../run-engine.ts';
import { ChildNursery } from './child-nursery.ts';
import type { EngineProcess } from './engine-process.ts';
import { ENGINE_CHILD } from './launch.ts';
import type { EngineInfo } from './protocol.ts';
import type { TaskLimits } from './task-limits.ts';

/** How a pool is made. */
export interface ChildPoolOptions {
  /** Name in the engine table, and what its factory gets inside the child. */
  readonly engine: string;
  readonly settings: unknown;
  /** Children kept warm; as many tasks run at once. */
  readonly size: number;
  /** A child is replaced after this many tasks. Default 50. */
  readonly maxTasksPerChild?: number | undefined;
  /** Resident memory above which a child is killed. Default: no limit. */
  readonly memoryLimitMb?: number | undefined;
  /** How long loading the model may take. Default 60 s. */
  readonly loadTimeoutMs?: number | undefined;
  /** All variables a child sees. Default none. */
  readonly environment?: Readonly<Record<string, string>> | undefined;
  /** The child's program. Default: the engine table's. */
  readonly entry?: URL | undefined;
  /** Told when no child can be started any more, and when one is warm again. */
  readonly watcher?: { trip(error: CodedError): void; mend(): void } | undefined;
  readonly log: Log;
}

interface Waiter {
  take(child: EngineProcess): void;
  refuse(error: CodedError): void;
}

/** Starts a pool of child processes with a loaded engine each; `close` ends them. */
export function createChildPool(options: ChildPoolOptions): ChildPool {
  return new ChildPool(options);
}

/** Gives every call a warm child of its own, and replaces children that died or have done their share. */
export class ChildPool {
  readonly #nursery: ChildNursery;
  readonly #maxTasks: number;
  readonly #idle: EngineProcess[] = [];
  readonly #waiting: Waiter[] = [];
  #restarting: Promise<void> | undefined;
  #closed = false;

  constructor(options: ChildPoolOptions) {
    this.#maxTasks = options.maxTasksPerChild ?? 50;
    this.#nursery = new ChildNursery({
      process: {
        engine: options.engine,
        settings: options.settings,
        memoryLimitMb: options.memoryLimitMb,
        loadTimeoutMs: options.loadTimeoutMs ?? 60_000,
        environment: options.environment ?? {},
        entry: options.entry ?? ENGINE_CHILD,
      },
      size: options.size,
      log: options.log,
      onReady: (child) => {
        this.#offer(child);
        options.watcher?.mend();
      },
      onGone: (child) => void this.#forget(child),
      onBroken: (error) => {
        for (const waiter of this.#waiting.splice(0)) waiter.refuse(error);
        if (!this.#closed) options.watcher?.trip(error);
      },
    });
  }

  /** Resolves when the first child is warm; rejects with `unavailable` when the engine cannot start. */
  ready(): Promise<EngineInfo> {
    return this.#nursery.ready;
  }

  /**
   * Runs one call in the next free child. Rejects with the signal's reason, `timeout`, `worker_crashed`,
   * `out_of_memory`, the engine's own error, or `unavailable` while no child can be started.
   */
  async run(input: EngineInput, options: EngineOptions, limits: TaskLimits): Promise<EngineResult> {
    const child = await this.#take(limits.signal);
    // Its replacement loads while it does its last task.
    const last = child.tasks + 1 >= this.#maxTasks;
    if (last) this.#nursery.retire(child);
    try {
      return await child.run({ input, options }, limits);
    } finally {
      if (this.#nursery.isRetired(child)) void child.leave();
      else if (!child.doomed) this.#offer(child);
    }
  }

  /**
   * Replaces every child by a new one, one after another, and resolves when all are new; calls under way end in the old
   * ones. Rejects with `unavailable` when no new child can be started: those not replaced yet stay.
   */
  restart(): Promise<void> {
    this.#restarting ??= this.#nursery
      .renew((child) => this.#dismiss(child))
      .finally(() => {
        this.#restarting = undefined;
      });
    return this.#restarting;
  }

  /** Resident memory of all children, as last measured. */
  memoryBytes(): number {
    return this.#nursery.children().reduce((sum, child) => sum + child.rssBytes, 0);
  }

  /** Process ids of the children that are warm. */
  pids(): number[] {
    return this.#nursery.pids();
  }

  /** Ends all children and waits until they are gone; calls still running are rejected. */
  close(): Promise<void> {
    this.#closed = true;
    return this.#nursery.close();
  }

  #offer(child: EngineProcess): void {
    const waiter = this.#waiting.shift();
    if (waiter) waiter.take(child);
    else this.#idle.push(child);
  }

  /** True when it had nothing to do. */
  #forget(child: EngineProcess): boolean {
    const at = this.#idle.indexOf(child);
    if (at >= 0) this.#idle.splice(at, 1);
    return at >= 0;
  }

  /** One that is at work leaves after it. */
  #dismiss(child: EngineProcess): void {
    if (this.#forget(child)) void child.leave();
  }

  #take(signal: AbortSignal): Promise<EngineProcess> {
    signal.throwIfAborted();
    const warm = this.#idle.findLastIndex((child) => !child.doomed);
    if (warm >= 0) return Promise.resolve(this.#idle.splice(warm, 1)[0] as EngineProcess);
    if (this.#nursery.broken) return Promise.reject(this.#nursery.broken);
    return this.#wait(signal);
  }

  #wait(signal: AbortSignal): Promise<EngineProcess> {
    return new Promise((resolve, reject) => {
      const waiter: Waiter = {
        take: (child) => {
          signal.removeEventListener('abort', abort);
          resolve(child);
        },
        refuse: (error) => {
          signal.removeEventListener('abort', abort);
          reject(error);
        },
      };
      const abort = () => {
        this.#waiting.splice(this.#waiting.indexOf(waiter), 1);
        reject(signal.reason);
      };
      signal.addEventListener('abort', abort, { once: true });
      this.#waiting.push(waiter);
    });
  }
}
