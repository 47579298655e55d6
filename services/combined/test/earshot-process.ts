import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../..', import.meta.url));

/** A process of this repository, run from source, with what it printed so far. */
export interface EarshotProcess {
  readonly child: ChildProcess;
  stdout(): string;
  stderr(): string;
  /** Resolves when stdout matches; rejects with all output when the process ends before that. */
  printed(pattern: RegExp): Promise<RegExpExecArray>;
  /** Resolves with the exit code. */
  readonly exit: Promise<number | null>;
  /** Sends SIGINT to its process group, as Ctrl-C in a terminal does, and resolves with the exit code. */
  interrupt(): Promise<number | null>;
}

const cleanEnvironment = () =>
  Object.fromEntries(
    Object.entries(process.env).filter(
      ([name]) => !/^(EARSHOT_|NATS_|DATABASE_URL|PORT|HOST$)/.test(name) || name === 'EARSHOT_CACHE_DIR',
    ),
  );

/** Runs `services/<file>` from source with only the given settings. */
export const runSource = (file: string, env: Record<string, string>, args: readonly string[] = []) =>
  runFile(`services/${file}`, env, args);

/** Runs a file of the repository from source with only the given settings. */
export function runFile(
  file: string,
  env: Record<string, string>,
  args: readonly string[] = [],
): EarshotProcess {
  return runCommand([process.execPath, ...FROM_SOURCE, file, ...args], env);
}

/** Node's options for the sources of this repository. */
export const FROM_SOURCE = ['--import', 'tsx', '--conditions=@earshot/source'];

/** Runs any program in the root of the repository, in a process group of its own, with only the given settings. */
export function runCommand(
  [program = '', ...args]: readonly string[],
  env: Record<string, string>,
): EarshotProcess {
  const child = spawn(program, args, {
    cwd: root,
    detached: true,
    env: { ...cleanEnvironment(), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (data: Buffer) => {
    stdout += data.toString();
  });
  child.stderr.on('data', (data: Buffer) => {
    stderr += data.toString();
  });
  const exit = once(child, 'exit').then(([code]) => code as number | null);
  const printed = (pattern: RegExp) =>
    new Promise<RegExpExecArray>((resolve, reject) => {
      const look = () => {
        const match = pattern.exec(stdout);
        if (match) resolve(match);
      };
      child.stdout.on('data', look);
      void exit.then((code) =>
        reject(new Error(`${[program, ...args].join(' ')} ended with ${code}\n${stdout}\n${stderr}`)),
      );
      look();
    });
  const interrupt = () => {
    if (child.exitCode === null && child.signalCode === null && child.pid) process.kill(-child.pid, 'SIGINT');
    return exit;
  };
  return { child, stdout: () => stdout, stderr: () => stderr, printed, exit, interrupt };
}

/** Combined on a free port below `home`, ready. */
export async function startEarshot(home: string, env: Record<string, string> = {}) {
  const earshot = runSource('combined/src/main.ts', { EARSHOT_HOME: home, PORT: '0', ...env });
  const [, url = ''] = await earshot.printed(/Earshot is ready: (\S+)/);
  const [, natsUrl = ''] = await earshot.printed(/NATS\s+(\S+)/);
  return { ...earshot, url, natsUrl };
}
