/** Milliseconds to wait after the nth failed attempt, counted from 1. */
export type Backoff = (failedAttempts: number) => number;

/** 1 s, 4 s, 16 s, then 60 s, each with up to 25 % jitter on top so that failures of one cause do not return together. */
export const defaultBackoff: Backoff = (failedAttempts) =>
  Math.min(60_000, 1_000 * 4 ** (failedAttempts - 1)) * (1 + Math.random() / 4);
