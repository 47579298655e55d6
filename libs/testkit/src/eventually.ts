import { setTimeout as pause } from 'node:timers/promises';

/**
 * Polls `probe` until it gives something truthy, and returns that; throws with `what` after `timeoutMs`. Its default is long
 * because only a failing test waits for it, and a busy machine may do nothing for many seconds.
 */
export async function eventually<T>(
  what: string,
  probe: () => Promise<T | undefined | null | false> | T | undefined | null | false,
  timeoutMs = 30_000,
): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  let lastError: unknown;
  do {
    try {
      const value = await probe();
      if (value) return value;
      lastError = undefined;
    } catch (error) {
      lastError = error;
    }
    await pause(20);
  } while (performance.now() < deadline);
  throw new Error(`waited ${timeoutMs} ms for: ${what}`, { cause: lastError });
}
