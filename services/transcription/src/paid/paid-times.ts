/** Times of paid calls, in milliseconds of the monotonic clock. */
export interface PaidTimes {
  /** From the claim of a try to its call at most; later the try is given back unused. */
  readonly callWithinMs: number;
  /** After which a call that starts an operation is cut, connection included. A blind call has the chunk's deadline. */
  readonly callMs: number;
  /**
   * From the first sight of a call that nobody knows the end of until it counts as never arrived: both times above, and
   * what the vendor may take to show an operation.
   */
  readonly neverArrivedMs: number;
  /** The same of somebody else's blind call. Default: `callWithinMs` and the chunk's deadline, as long as it may take. */
  readonly unclearMs?: number;
  /** Between two searches for such a call. */
  readonly lookEveryMs: number;
  /** Between the first two polls of an operation; the pauses grow to ten times that. */
  readonly pollEveryMs: number;
  /** How long a search, a poll or a cancel may take. */
  readonly askMs: number;
  /** When a job whose operation still runs at the chunk's deadline comes back. */
  readonly runningPauseMs: number;
  /** The same of an operation that may run for hours. */
  readonly slowPauseMs: number;
}

/** The times of an installation; tests take shorter ones. */
export const paidTimes: PaidTimes = {
  callWithinMs: 5_000,
  callMs: 60_000,
  neverArrivedMs: 95_000,
  lookEveryMs: 5_000,
  pollEveryMs: 1_000,
  askMs: 10_000,
  runningPauseMs: 15_000,
  slowPauseMs: 60_000,
};

/** How often a blind call is made again when nobody knows whether it was made; then a person decides. */
export const UNCLEAR_REPEATS = 1;
