import { setTimeout as pause } from 'node:timers/promises';
import { ServiceProcess } from '../faults/service-process.ts';

/** How a process is started again and again. */
export interface Command {
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
}

const RESPAWN_MS = 300;

/** A service that is started again whenever it ends, as a supervisor does. */
export class Supervised {
  readonly name: string;
  /** Every process it ever was, oldest first. */
  readonly runs: ServiceProcess[] = [];
  readonly #command: Command;
  readonly #ends: number[] = [];
  #wanted = true;

  constructor(name: string, command: Command) {
    this.name = name;
    this.#command = command;
    this.#start();
  }

  /** The process that runs now, or the last one while the next is waited for. */
  get current(): ServiceProcess {
    return this.runs.at(-1) as ServiceProcess;
  }

  /** Where its HTTP door is; undefined while it has none. */
  url(): string | undefined {
    if (!this.current.alive()) return undefined;
    return this.current.lines.find(({ url }) => typeof url === 'string')?.url as string | undefined;
  }

  /** How many processes it had within the last `ms`. */
  recent(ms: number): number {
    return this.#ends.filter((end) => end > performance.now() - ms).length + Number(this.current.alive());
  }

  /** Ends it for good. */
  async close(): Promise<void> {
    this.#wanted = false;
    this.current.signal('SIGCONT');
    await this.current.kill();
  }

  #start(): void {
    const { args, env, cwd } = this.#command;
    const run = new ServiceProcess(`${this.name}.${this.runs.length}`, args, env, cwd);
    this.runs.push(run);
    void run.ended.then(async () => {
      this.#ends.push(performance.now());
      await pause(RESPAWN_MS);
      if (this.#wanted) this.#start();
    });
  }
}
