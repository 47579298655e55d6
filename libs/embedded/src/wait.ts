import { setTimeout as pause } from 'node:timers/promises';

/** How long to wait and how often to look, in milliseconds. */
export interface WaitOptions {
  readonly timeoutMs: number;
  readonly everyMs?: number;
}

/** Looks until `check` gives something else than undefined; undefined when the time is over. */
export async function waitFor<T>(
  check: () => T | undefined | Promise<T | undefined>,
  { timeoutMs, everyMs = 25 }: WaitOptions,
): Promise<T | undefined> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const found = await check();
    if (found !== undefined || performance.now() > deadline) return found;
    await pause(everyMs);
  }
}
