import { setTimeout as pause } from 'node:timers/promises';
import type { RunningHttp } from './start-http.ts';

/** How a service with a listener is stopped; times are milliseconds. */
export interface DrainOptions {
  readonly http: RunningHttp;
  /** Ends the work behind the routes, which go on answering. */
  readonly stop: () => Promise<unknown>;
  /** How long requests are still answered, so that routers notice the 503 of `/readyz`; 0: until the work has ended. */
  readonly drainMs: number;
  /** What `drain` may take in all. */
  readonly graceMs: number;
}

/**
 * Stops the work at once, answers requests until that is done and `drainMs` have passed, then closes the listener;
 * requests still under way at the end of the grace are cut off. `/readyz` must answer 503 from before.
 */
export async function drain({ http, stop, drainMs, graceMs }: DrainOptions): Promise<void> {
  const startedAt = performance.now();
  await Promise.all([stop(), pause(Math.min(drainMs, graceMs))]);
  await http.close(Math.max(0, startedAt + graceMs - performance.now()));
}
