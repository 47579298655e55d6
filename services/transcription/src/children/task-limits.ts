/** What bounds one task. */
export interface TaskLimits {
  readonly signal: AbortSignal;
  /** Wall time after which the task fails with `timeout`. */
  readonly deadlineMs: number;
  readonly onHeartbeat?: (() => void) | undefined;
}

/** How long a child may take to answer an abort before it is killed. */
const ABORT_GRACE_MS = 1000;

/** Watches one task: at the deadline `expire`, at an abort first `ask` and a second later `force`. */
export function enforceLimits(
  { signal, deadlineMs }: TaskLimits,
  act: { expire: () => void; ask: () => void; force: () => void },
): { release(): void } {
  const timers = [setTimeout(act.expire, deadlineMs)];
  const abort = () => {
    act.ask();
    timers.push(setTimeout(act.force, ABORT_GRACE_MS));
  };
  if (signal.aborted) abort();
  else signal.addEventListener('abort', abort, { once: true });
  return {
    release: () => {
      signal.removeEventListener('abort', abort);
      for (const timer of timers) clearTimeout(timer);
    },
  };
}
