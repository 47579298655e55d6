import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';

/** A program of this folder in a process of its own; it speaks one JSON value a line, and hears lines. */
export interface Child {
  readonly process: ChildProcess;
  readonly pid: number;
  /** The next value it prints; rejects with its error output when it ends instead. */
  next<T>(): Promise<T>;
  tell(line: string): void;
  ended(): Promise<number | null>;
}

/** Starts `test/<name>` with tsx; killed at the end of the test if it still runs. */
export function startChild(
  name: string,
  args: readonly string[],
  extra: { uid?: number; gid?: number; env?: NodeJS.ProcessEnv } = {},
): Child {
  const script = fileURLToPath(new URL(name, import.meta.url));
  const root = fileURLToPath(new URL('../../..', import.meta.url));
  const flags = ['--conditions=@earshot/source', '--import', 'tsx', script];
  const { env = process.env, ...user } = extra;
  const child = spawn(process.execPath, [...flags, ...args], {
    cwd: root,
    stdio: ['pipe', 'pipe', 'pipe'],
    env,
    ...user,
  });
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors += text;
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  onTestFinished(() => void child.kill('SIGKILL'));
  return {
    process: child,
    pid: child.pid ?? 0,
    next: async <T>() => {
      const line = await lines.next();
      if (line.done) throw new Error(`${name} ended: ${errors}`);
      return JSON.parse(line.value) as T;
    },
    tell: (line) => void child.stdin.write(`${line}\n`),
    ended: async () => {
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
      return child.exitCode;
    },
  };
}
