import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { readFile, rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { EmbeddedError } from '../errors.ts';
import { identify, isAlive, type ProcessIdentity, signal } from '../processes.ts';
import { tail } from '../run.ts';
import { waitFor } from '../wait.ts';
import { readState } from './state-file.ts';

/** How a server's process ended; both null for an adopted one, whose end can only be noticed. */
export interface ServerExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A server that answers. It outlives this process unless somebody stops it. */
export interface RunningServer {
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  /** True when it was already running, left by an earlier process. */
  readonly adopted: boolean;
  readonly logFile: string;
  /** Settles when the process is gone, for whatever reason; never rejects. */
  readonly exited: Promise<ServerExit>;
  /** Asks it to end, insists after 10 s, and resolves when it is gone. Idempotent. */
  stop(): Promise<void>;
  /** SIGKILL at once: for tests of crashes. Its data survive. */
  kill(): void;
}

/** What a launcher knows about a process of its own or of an earlier run. */
export interface ServerProcess {
  readonly identity: ProcessIdentity;
  readonly exited: Promise<ServerExit>;
}

/** How to start a server program. It gets its own process group, so Ctrl-C in our terminal does not reach it. */
export interface Launch {
  readonly command: string;
  readonly args: readonly string[];
  readonly logFile: string;
  readonly cwd?: string;
  readonly uid?: number;
  readonly gid?: number;
}

const MAX_LOG_BYTES = 10_000_000;
const WATCH_MS = 250;

/** Starts a server program with its output appended to a log file (kept below 10 MB, one older file kept). */
export async function launch(what: Launch): Promise<ServerProcess> {
  const size = await stat(what.logFile).then(
    (found) => found.size,
    () => 0,
  );
  if (size > MAX_LOG_BYTES) await rename(what.logFile, `${what.logFile}.1`);
  const log = openSync(what.logFile, 'a', 0o600);
  try {
    const child = spawn(what.command, [...what.args], {
      detached: true,
      stdio: ['ignore', log, log],
      windowsHide: true,
      env: { LC_ALL: 'C' },
      ...(what.cwd === undefined ? {} : { cwd: what.cwd }),
      ...(what.uid === undefined ? {} : { uid: what.uid }),
      ...(what.gid === undefined ? {} : { gid: what.gid }),
    });
    return await started(child, what.command);
  } finally {
    closeSync(log);
  }
}

function started(child: ChildProcess, command: string): Promise<ServerProcess> {
  return new Promise((done, fail) => {
    child.on('error', (cause) => {
      fail(
        new EmbeddedError('DID_NOT_START', `${command} cannot be run: ${cause.message}`, undefined, {
          cause,
        }),
      );
    });
    const exited = new Promise<ServerExit>((end) =>
      child.on('exit', (code, how) => end({ code, signal: how })),
    );
    child.on('spawn', () => {
      const pid = child.pid ?? 0;
      child.unref();
      done({ identity: identify(pid) ?? { pid, start: '' }, exited });
    });
  });
}

/** Watches a process that is not our child. The watch does not keep this process alive. */
export function watch(identity: ProcessIdentity): ServerProcess {
  const exited = new Promise<ServerExit>((end) => {
    const timer = setInterval(() => {
      if (isAlive(identity)) return;
      clearInterval(timer);
      end({ code: null, signal: null });
    }, WATCH_MS).unref();
  });
  return { identity, exited };
}

/** Waits until `probe` gives something; throws DID_NOT_START with the end of the log when the process ends before. */
export async function whenReady<T>(
  server: ServerProcess,
  what: { name: string; logFile: string; timeoutMs: number },
  probe: () => Promise<T | undefined>,
): Promise<T> {
  let ended = false;
  void server.exited.then(() => {
    ended = true;
  });
  const answer = await waitFor(async () => (ended ? 'ended' : probe()), {
    timeoutMs: what.timeoutMs,
    everyMs: 10,
  });
  if (answer !== undefined && answer !== 'ended') return answer as T;
  const how = ended ? 'ended at once' : `did not answer within ${what.timeoutMs / 1000} s`;
  await stopProcess(server, ['SIGKILL']);
  const log = tail(await readFile(what.logFile, 'utf8').catch(() => ''), 12);
  throw new EmbeddedError('DID_NOT_START', `${what.name} ${how}. The end of ${what.logFile}:\n${log}`);
}

/** Sends the signals one after another, 10 s apart, until the process is gone. */
export async function stopProcess(server: ServerProcess, signals: readonly NodeJS.Signals[]): Promise<void> {
  for (const name of signals) {
    if (!isAlive(server.identity)) break;
    signal(server.identity.pid, name);
    const gone = await waitFor(() => (isAlive(server.identity) ? undefined : true), {
      timeoutMs: 10_000,
      everyMs: 10,
    });
    if (gone === true) break;
  }
  // Child handles do not keep this process alive, a timer does: give the exit event its turn.
  await Promise.race([server.exited, pause(500)]);
}

/** Stops the server that a data folder's server.json speaks of, whoever started it; none is fine. */
export async function stopRecorded(folder: string, signals: readonly NodeJS.Signals[]): Promise<void> {
  const state = await readState<ProcessIdentity>(join(folder, 'server.json'));
  if (state !== undefined && isAlive(state)) await stopProcess(watch(state), signals);
}
