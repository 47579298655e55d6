import type { ChildProcess } from 'node:child_process';
import { finished } from 'node:stream/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { CodedError, isErrorCode } from '@earshot/domain';
import type { EngineResult } from '../run-engine.ts';
import { ChildError, type ChildExit, deathError } from './child-error.ts';
import { launch } from './launch.ts';
import { type MemoryWatch, watchMemory } from './memory-watch.ts';
import { type OutputTail, outputTail } from './output-tail.ts';
import type { Answer, EngineInfo, EngineTask, FromChild, ToChild } from './protocol.ts';
import { enforceLimits, type TaskLimits } from './task-limits.ts';

/** What a child is started with. */
export interface EngineProcessOptions {
  readonly entry: URL;
  readonly engine: string;
  /** Handed to the engine's factory inside the child. */
  readonly settings: unknown;
  /** All variables the child sees. */
  readonly environment: Readonly<Record<string, string>>;
  /** Resident memory above which the child is killed; undefined: no limit. */
  readonly memoryLimitMb?: number | undefined;
  /** How long loading the model may take. */
  readonly loadTimeoutMs: number;
}

const LEAVE_GRACE_MS = 1000;
const LAST_WORDS_MS = 500;

/** One supervised child process with a loaded engine. It does one task at a time. */
export class EngineProcess {
  /** Tasks given to it so far. */
  tasks = 0;
  info!: EngineInfo;
  loadMs = 0;
  /** Settles when the process is gone, with what that means for whoever waits for it. */
  readonly gone: Promise<CodedError>;
  readonly #process: ChildProcess;
  readonly #tail: OutputTail;
  readonly #memory: MemoryWatch;
  #killedFor: CodedError | undefined;
  #answered: (answer: Answer) => void = () => {};
  #onHeartbeat: () => void = () => {};
  #reportedRss = 0;

  /** Starts a child and waits until its model is loaded; throws what went wrong instead. */
  static async start(options: EngineProcessOptions, signal?: AbortSignal): Promise<EngineProcess> {
    const child = new EngineProcess(options);
    const stop = () => child.kill(new CodedError('unavailable', 'the pool was closed'));
    signal?.addEventListener('abort', stop, { once: true });
    try {
      await child.#load(options);
      return child;
    } finally {
      signal?.removeEventListener('abort', stop);
    }
  }

  private constructor(options: EngineProcessOptions) {
    this.#process = launch(options.entry, options.environment);
    this.#tail = outputTail(this.#process.stdout, this.#process.stderr);
    this.#process.on('message', (message: FromChild) => this.#hear(message));
    this.#memory = this.#watchMemory(options.memoryLimitMb);
    this.gone = exitOf(this.#process).then((exit) => {
      this.#memory.stop();
      this.#killedFor ??= deathError(exit, this.#tail.text());
      return this.#killedFor;
    });
  }

  get pid(): number {
    return this.#process.pid ?? 0;
  }

  /** Resident memory as last measured. */
  get rssBytes(): number {
    return this.#memory.rssBytes();
  }

  /** True once it is gone or was told to end. */
  get doomed(): boolean {
    return this.#killedFor !== undefined;
  }

  /** Rejects with the signal's reason, `timeout`, `out_of_memory`, `worker_crashed` or the engine's own error. */
  async run(task: EngineTask, limits: TaskLimits): Promise<EngineResult> {
    limits.signal.throwIfAborted();
    this.tasks += 1;
    this.#onHeartbeat = limits.onHeartbeat ?? (() => {});
    const watch = enforceLimits(limits, {
      expire: () => this.kill(this.#error('timeout', `the engine took longer than ${limits.deadlineMs} ms`)),
      ask: () => this.#tell({ type: 'abort' }),
      force: () => this.kill(this.#error('worker_crashed', 'the child did not answer an abort')),
    });
    try {
      const answer = await this.#ask({ type: 'run', task });
      if (answer.type === 'done') return answer.result;
      throw await this.#failure(answer);
    } catch (error) {
      limits.signal.throwIfAborted();
      throw error;
    } finally {
      watch.release();
    }
  }

  /** Ends the process at once; whoever waits for it gets `why`. */
  kill(why: CodedError): void {
    this.#killedFor ??= why;
    this.#process.kill('SIGKILL');
  }

  /** Tells the child to leave, kills it if it does not, and waits until it is gone. */
  async leave(): Promise<void> {
    const stopped = new CodedError('unavailable', 'the child was stopped');
    this.#killedFor ??= stopped;
    if (this.#process.connected) this.#process.disconnect();
    const timer = setTimeout(() => this.kill(stopped), LEAVE_GRACE_MS);
    await this.gone;
    clearTimeout(timer);
  }

  async #load({ engine, settings, loadTimeoutMs }: EngineProcessOptions): Promise<void> {
    const late = new CodedError('timeout', `the engine was not loaded within ${loadTimeoutMs} ms`);
    const timer = setTimeout(() => this.kill(late), loadTimeoutMs);
    try {
      const answer = await this.#ask({ type: 'load', engine, settings });
      if (answer.type !== 'loaded') throw await this.#failure(answer);
      this.info = answer.info;
      this.loadMs = answer.load_ms;
    } catch (error) {
      await this.leave();
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  #ask(message: ToChild): Promise<Answer> {
    const answer = new Promise<Answer>((resolve) => {
      this.#answered = resolve;
    });
    this.#tell(message);
    return Promise.race([answer, this.gone.then((error) => Promise.reject(error))]);
  }

  /** A child that can no longer hear is about to be `gone`, which says why. */
  #tell(message: ToChild): void {
    if (this.#process.connected) this.#process.send(message, () => {});
  }

  #hear(message: FromChild): void {
    if (message.type === 'beat') {
      this.#reportedRss = message.rss_bytes;
      this.#onHeartbeat();
    } else this.#answered(message);
  }

  async #failure(answer: Answer): Promise<ChildError> {
    await this.#tail.quiet();
    if (answer.type !== 'failed') return this.#error('engine_error', `the child answered ${answer.type}`);
    const { code, message, errors } = answer.failure;
    return new ChildError(isErrorCode(code) ? code : 'engine_error', message, this.#tail.text(), errors);
  }

  #error(code: 'timeout' | 'worker_crashed' | 'out_of_memory' | 'engine_error', detail: string): ChildError {
    return new ChildError(code, detail, this.#tail.text());
  }

  #watchMemory(limitMb = Number.POSITIVE_INFINITY): MemoryWatch {
    const exceeded = (rss: number) => {
      const used = Math.round(rss / 1024 / 1024);
      this.kill(this.#error('out_of_memory', `the child used ${used} MB, the limit is ${limitMb} MB`));
    };
    const limitBytes = limitMb * 1024 * 1024;
    return watchMemory({ pid: this.pid, limitBytes, reported: () => this.#reportedRss, exceeded });
  }
}

/** Not the event `close`: it never comes after our own `disconnect` (Node 20). */
async function exitOf(child: ChildProcess): Promise<ChildExit> {
  const exit = await new Promise<ChildExit>((resolve) => {
    child.once('exit', (code, signal) => resolve({ code, signal }));
    child.once('error', (error) => {
      if (child.pid === undefined) resolve({ code: null, signal: null, error });
    });
  });
  // Its last words may still be in the pipes; a process it left behind may hold them open.
  const output = [child.stdout, child.stderr].map((stream) => stream && finished(stream).catch(() => {}));
  await Promise.race([Promise.all(output), pause(LAST_WORDS_MS, undefined, { ref: false })]);
  return exit;
}
