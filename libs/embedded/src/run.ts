import { spawn } from 'node:child_process';
import type { Environment } from './options.ts';

/** How a finished program ended; output is text, cut to its last 64 KB. */
export interface RunResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** How to run a program; `timeoutMs` kills it (code null), `input` is written to its standard input. */
export interface RunOptions {
  readonly env: Environment;
  readonly cwd?: string;
  readonly timeoutMs?: number;
  readonly input?: string;
  readonly uid?: number;
  readonly gid?: number;
}

const KEPT = 65_536;

/** Runs a program to its end. Rejects only when it cannot be started; a non-zero exit is a result. */
export function run(command: string, args: readonly string[], options: RunOptions): Promise<RunResult> {
  return new Promise((done, fail) => {
    const child = spawn(command, [...args], {
      env: { ...options.env },
      stdio: ['pipe', 'pipe', 'pipe'],
      windowsHide: true,
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      ...(options.timeoutMs === undefined ? {} : { timeout: options.timeoutMs, killSignal: 'SIGKILL' }),
      ...(options.uid === undefined ? {} : { uid: options.uid }),
      ...(options.gid === undefined ? {} : { gid: options.gid }),
    });
    const output = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr'] as const) {
      child[name].setEncoding('utf8').on('data', (text: string) => {
        output[name] = (output[name] + text).slice(-KEPT);
      });
    }
    child.stdin.on('error', () => undefined);
    child.stdin.end(options.input ?? '');
    child.on('error', fail);
    child.on('close', (code) => done({ code, ...output }));
  });
}

/** The last lines of an output, for an error message. */
export function tail(text: string, lines = 8): string {
  return text.trim().split(/\r?\n/).slice(-lines).join('\n');
}
