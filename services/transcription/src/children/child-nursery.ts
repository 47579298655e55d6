import { CodedError } from '@earshot/domain';
import type { Log } from '@earshot/messaging';
import { EngineProcess, type EngineProcessOptions } from './engine-process.ts';
import type { EngineInfo } from './protocol.ts';

interface NurseryOptions {
  readonly process: EngineProcessOptions;
  /** Children kept warm. */
  readonly size: number;
  readonly log: Log;
  readonly onReady: (child: EngineProcess) => void;
  readonly onGone: (child: EngineProcess) => void;
  /** Called when several starts in a row failed and no child is left; it goes on trying. */
  readonly onBroken: (error: CodedError) => void;
}

const FAILURES_UNTIL_BROKEN = 3;
const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 4_000;

/** Keeps `size` children alive: starts them, notices their deaths, starts others, with pauses when starting fails. */
export class ChildNursery {
  /** The engine, once a first child has loaded it; rejects with `unavailable` when none can. */
  readonly ready: Promise<EngineInfo>;
  /** Set while no child can be started. */
  broken: CodedError | undefined;
  readonly #options: NurseryOptions;
  readonly #live = new Set<EngineProcess>();
  readonly #retired = new Set<EngineProcess>();
  readonly #starting = new Set<Promise<void>>();
  readonly #closing = new AbortController();
  /** Children wanted beyond the size, while old ones are replaced. */
  #spare = 0;
  #nextReady: { resolve(): void; reject(error: CodedError): void } | undefined;
  #settleReady!: { resolve(info: EngineInfo): void; reject(error: CodedError): void };
  #failures = 0;
  #pause: NodeJS.Timeout | undefined;

  constructor(options: NurseryOptions) {
    this.#options = options;
    this.ready = new Promise((resolve, reject) => {
      this.#settleReady = { resolve, reject };
    });
    this.ready.catch(() => {});
    this.#fill();
  }

  /** Takes a child out of the count; it lives on until it is told to leave. */
  retire(child: EngineProcess): void {
    if (!this.#live.delete(child)) return;
    this.#retired.add(child);
    this.#fill();
  }

  isRetired(child: EngineProcess): boolean {
    return this.#retired.has(child);
  }

  /**
   * Replaces the children there are, one after another: each is retired and handed to `dismiss` once a new one is warm.
   * Rejects when no new one can be started; the old ones then stay.
   */
  async renew(dismiss: (child: EngineProcess) => void): Promise<void> {
    for (const child of [...this.#live]) {
      if (!this.#live.has(child)) continue;
      await this.#oneMore();
      this.retire(child);
      dismiss(child);
    }
  }

  children(): readonly EngineProcess[] {
    return [...this.#live, ...this.#retired];
  }

  pids(): number[] {
    return [...this.#live].map((child) => child.pid);
  }

  async close(): Promise<void> {
    this.#closing.abort();
    clearTimeout(this.#pause);
    this.#break(new CodedError('unavailable', 'the pool is closed'));
    await Promise.all([...this.#starting, ...this.children().map((child) => child.leave())]);
  }

  async #oneMore(): Promise<void> {
    this.#spare = 1;
    try {
      await new Promise<void>((resolve, reject) => {
        this.#nextReady = { resolve, reject };
        this.#fill();
      });
    } finally {
      this.#spare = 0;
      this.#nextReady = undefined;
    }
  }

  /** One at a time until one is known to work, then all that are missing. */
  #fill(): void {
    const cautious = this.#failures > 0 || this.#live.size === 0;
    while (this.#live.size + this.#starting.size < this.#options.size + this.#spare) {
      if (this.#closing.signal.aborted || this.#pause || (cautious && this.#starting.size > 0)) return;
      this.#start();
    }
  }

  #start(): void {
    const start = EngineProcess.start(this.#options.process, this.#closing.signal).then(
      (child) => {
        this.#starting.delete(start);
        return this.#welcome(child);
      },
      (error: CodedError) => {
        this.#starting.delete(start);
        this.#failed(error);
      },
    );
    this.#starting.add(start);
  }

  #welcome(child: EngineProcess): Promise<void> | undefined {
    if (this.#closing.signal.aborted) return child.leave();
    const { engine } = this.#options.process;
    this.#options.log.info({ engine, pid: child.pid, load_ms: child.loadMs }, 'engine child ready');
    this.broken = undefined;
    this.#live.add(child);
    void child.gone.then((why) => this.#bury(child, why));
    this.#settleReady.resolve(child.info);
    this.#nextReady?.resolve();
    this.#options.onReady(child);
    this.#fill();
    return undefined;
  }

  #bury(child: EngineProcess, why: CodedError): void {
    this.#live.delete(child);
    const expected = this.#retired.delete(child) || this.#closing.signal.aborted;
    this.#options.onGone(child);
    if (expected) return;
    const { engine } = this.#options.process;
    this.#options.log.warn(
      { engine, pid: child.pid, tasks: child.tasks, code: why.code, detail: why.message },
      'engine child died',
    );
    if (child.tasks > 0) {
      this.#failures = 0;
      this.#fill();
    } else this.#failed(why);
  }

  /** A child that could not load, or died before its first task: the next one is started after a pause. */
  #failed(why: CodedError): void {
    if (this.#closing.signal.aborted) return;
    this.#failures += 1;
    const { engine } = this.#options.process;
    const pause = Math.min(FIRST_PAUSE_MS * 2 ** (this.#failures - 1), LONGEST_PAUSE_MS);
    this.#options.log.error(
      { engine, failures: this.#failures, retry_in_ms: pause, detail: why.message, ...tailOf(why) },
      'engine cannot start',
    );
    if (this.#failures >= FAILURES_UNTIL_BROKEN) {
      const message = `engine ${engine} cannot start: ${why.message}`;
      const error = new CodedError('unavailable', message, { cause: why });
      this.#nextReady?.reject(error);
      if (this.#live.size === 0) this.#break(error);
    }
    clearTimeout(this.#pause);
    this.#pause = setTimeout(() => {
      this.#pause = undefined;
      this.#fill();
    }, pause);
  }

  #break(error: CodedError): void {
    this.broken = error;
    this.#nextReady?.reject(error);
    this.#settleReady.reject(error);
    this.#options.onBroken(error);
  }
}

function tailOf(error: CodedError): { stderr_tail?: string } {
  const tail = (error as { stderr_tail?: string }).stderr_tail;
  return tail ? { stderr_tail: tail } : {};
}
