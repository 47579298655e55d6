import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { eventually } from '@earshot/testkit';

const root = fileURLToPath(new URL('../../../..', import.meta.url));

/** One line of a service's log, with its time as milliseconds. */
export interface LogLine {
  readonly at: number;
  readonly level: string;
  readonly msg: string;
  readonly [field: string]: unknown;
}

/** How a process ended: its exit code, or the signal that ended it. */
export interface ProcessEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

const cleanEnvironment = () =>
  Object.fromEntries(
    Object.entries(process.env).filter(
      ([name]) => !/^(EARSHOT_|NATS_|WORKER_|VITEST|NODE_ENV|DATABASE_URL|PORT$|HOST$)/.test(name),
    ),
  );

/** A service as a process of its own: its log, and signals for it. It ends with the test's own process at the latest. */
export class ServiceProcess {
  readonly name: string;
  readonly pid: number;
  /** Everything it logged so far. */
  readonly lines: LogLine[] = [];
  readonly ended: Promise<ProcessEnd>;
  readonly #child: ChildProcess;
  #end: ProcessEnd | undefined;
  #otherOutput = '';

  /** Runs `node <args>` (or another program) in `cwd` (default: the repository) with only the given settings. */
  constructor(
    name: string,
    args: readonly string[],
    env: Readonly<Record<string, string>>,
    cwd = root,
    program = process.execPath,
  ) {
    this.name = name;
    this.#child = spawn(program, args, {
      cwd,
      env: { ...cleanEnvironment(), ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    running.add(this.#child);
    this.pid = this.#child.pid ?? 0;
    this.#read(this.#child.stdout);
    this.#read(this.#child.stderr);
    this.ended = once(this.#child, 'close').then(([code, signal]) => {
      running.delete(this.#child);
      this.#end = { code, signal };
      return this.#end;
    });
  }

  alive(): boolean {
    return this.#end === undefined;
  }

  /** The first line that matches, logged already or within `timeoutMs` (60 s); fails at once when the process ends. */
  async logged(what: string, matches: (line: LogLine) => boolean, timeoutMs = 60_000): Promise<LogLine> {
    const look = () => this.lines.find(matches);
    const found = await eventually(
      `${this.name} to log ${what}`,
      () => look() ?? (this.#end && 'ended'),
      timeoutMs,
    );
    if (found === 'ended') throw new Error(`${this.name} ended: ${this.tail()}`);
    return found;
  }

  signal(signal: NodeJS.Signals): void {
    if (this.alive()) process.kill(this.pid, signal);
  }

  /** SIGKILL; resolves when it is gone. */
  async kill(): Promise<void> {
    this.signal('SIGKILL');
    await this.ended;
  }

  /** The last that was heard of it, for messages of failed tests. */
  tail(): string {
    const last = this.lines.slice(-10).map((line) => JSON.stringify(line));
    return `${last.join('\n')}\n${this.#otherOutput.slice(-2_000)}`;
  }

  #read(stream: NodeJS.ReadableStream | null): void {
    if (!stream) return;
    createInterface(stream).on('line', (text) => {
      const line = asLogLine(text);
      if (line) this.lines.push(line);
      else this.#otherOutput += `${text}\n`;
    });
  }
}

function asLogLine(text: string): LogLine | undefined {
  if (!text.startsWith('{')) return undefined;
  try {
    const line = JSON.parse(text) as { time: string; level: string; msg: string };
    return { ...line, at: Date.parse(line.time) };
  } catch {
    return undefined;
  }
}
