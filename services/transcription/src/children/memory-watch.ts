import { readFile } from 'node:fs/promises';

const POLL_MS = 200;

/**
 * Calls `exceeded` once when the process's resident memory passes the limit. Read from outside where there is a
 * /proc, because a child that spins in native code cannot report; elsewhere from the child's own last report.
 */
export function watchMemory(options: {
  pid: number;
  limitBytes: number;
  reported: () => number;
  exceeded: (rssBytes: number) => void;
}): { stop(): void } {
  let watching = true;
  const stop = () => {
    watching = false;
    clearInterval(timer);
  };
  const timer = setInterval(async () => {
    const rss = (await residentBytes(options.pid)) ?? options.reported();
    if (!watching || rss <= options.limitBytes) return;
    stop();
    options.exceeded(rss);
  }, POLL_MS);
  timer.unref();
  return { stop };
}

/** Resident memory of a process in bytes; undefined where there is no /proc or no such process. */
export async function residentBytes(pid: number): Promise<number | undefined> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1];
  return kilobytes === undefined ? undefined : Number(kilobytes) * 1024;
}
