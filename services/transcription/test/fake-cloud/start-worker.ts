import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** A worker of the vendor's engines in a process of its own. */
export interface WorkerProcess {
  readonly child: ChildProcess;
  /** Lines of its log so far, newest last. */
  readonly lines: readonly string[];
  /** Ends it without warning, unless it has ended. */
  kill(): Promise<void>;
}

const main = fileURLToPath(new URL('main.ts', import.meta.url));

/** Starts `main.ts` with only the given settings and resolves when it takes work; ends with this process. */
export async function startWorker(
  args: readonly string[],
  env: Record<string, string>,
): Promise<WorkerProcess> {
  const { PATH = '', HOME = '' } = process.env;
  const child = spawn(process.execPath, ['--import', 'tsx', '--conditions=@earshot/source', main, ...args], {
    env: { PATH, HOME, PORT: '0', ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const endWithParent = () => child.kill('SIGKILL');
  process.once('exit', endWithParent);
  const gone = once(child, 'exit').finally(() => process.removeListener('exit', endWithParent));
  const lines: string[] = [];
  const output = createInterface(child.stdout);
  const ready = new Promise<void>((resolve, reject) => {
    output.on('line', (line) => {
      lines.push(line);
      if (line.includes('"worker ready"')) resolve();
    });
    void gone.then(() => reject(new Error(`the worker ended: ${lines.join('\n')}`)));
  });
  await ready;
  const kill = async () => {
    child.kill('SIGKILL');
    await gone;
  };
  return { child, lines, kill };
}
