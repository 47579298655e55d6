import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';

const HAS_PROC = existsSync('/proc/self/status');
/** Reading /proc costs microseconds, `ps` a process. */
const POLL_MS = HAS_PROC ? 200 : 1_000;

/** Looks at a process until it is stopped. */
export interface MemoryWatch {
  /** Resident memory as last measured; 0 before the first look. */
  rssBytes(): number;
  stop(): void;
}

/**
 * Calls `exceeded` once when the process's resident memory passes the limit. Measured from outside, because a child that
 * spins in native code cannot report: by /proc, or once a second by `ps` (macOS). Where there is neither (Windows) it
 * rests on the child's own last report.
 */
export function watchMemory(options: {
  pid: number;
  limitBytes: number;
  reported: () => number;
  exceeded: (rssBytes: number) => void;
}): MemoryWatch {
  let last = 0;
  let watching = true;
  const stop = () => {
    watching = false;
    clearInterval(timer);
  };
  const look = async () => {
    last = (await residentBytes(options.pid)) ?? options.reported();
    if (!watching || last <= options.limitBytes) return;
    stop();
    options.exceeded(last);
  };
  const timer = setInterval(() => void look(), POLL_MS);
  timer.unref();
  return { rssBytes: () => (watching ? last : 0), stop };
}

/** Resident memory of a process in bytes; undefined where it cannot be measured, or there is no such process. */
export function residentBytes(pid: number): Promise<number | undefined> {
  return HAS_PROC ? residentByProc(pid) : residentByPs(pid);
}

async function residentByProc(pid: number): Promise<number | undefined> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1];
  return kilobytes === undefined ? undefined : Number(kilobytes) * 1024;
}

/** The same by `ps`, which Linux, macOS and the BSDs have. */
export async function residentByPs(pid: number): Promise<number | undefined> {
  const ps = promisify(execFile)('ps', ['-o', 'rss=', '-p', String(pid)], { timeout: 2_000 });
  const kilobytes = Number(
    await ps.then(({ stdout }) => stdout.trim() || Number.NaN).catch(() => Number.NaN),
  );
  return Number.isNaN(kilobytes) ? undefined : kilobytes * 1024;
}
