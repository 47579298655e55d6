/**
 * What the vendor does to one call. The call does not arrive: `refuse` (400), `unreadable` (422), `quota` (429), `error`
 * (503), `drop` (the connection is cut), `hang` (no answer ever). It arrives: `lose_reply` (the connection is cut),
 * `hang_after` (no answer ever), `fail` and `fail_for_good` (the operation ends with an error).
 */
export type Fault =
  | 'refuse'
  | 'unreadable'
  | 'quota'
  | 'error'
  | 'drop'
  | 'hang'
  | 'lose_reply'
  | 'hang_after'
  | 'fail'
  | 'fail_for_good';

/** How the vendor behaves from now on; times are milliseconds unless their name says otherwise. */
export interface Behaviour {
  /** From the arrival of a call to its answer. */
  readonly answer_ms: number;
  /** How long an operation runs; also those that run already. */
  readonly operation_ms: number;
  /** From the arrival of a call until a search by output URI finds its operation. */
  readonly visible_after_ms: number;
  readonly retry_after_s: number;
  /** Nobody listens, and every open connection is cut. */
  readonly down: boolean;
  /** One for each of the next calls, in order. */
  readonly faults: readonly Fault[];
  /** Hashes of sound that can never be transcribed: an operation fails for good, other calls are refused (422). */
  readonly poison: readonly string[];
}

export const healthy: Behaviour = {
  answer_ms: 0,
  operation_ms: 0,
  visible_after_ms: 0,
  retry_after_s: 1,
  down: false,
  faults: [],
  poison: [],
};

/** One line of the vendor's own book; `billed` lines are those that cost money. */
export interface LogLine {
  readonly time: string;
  readonly kind: 'call' | 'transcribe' | 'free' | 'find' | 'poll' | 'cancel';
  /** The output URI of a `lookup` call, the key of a `blind` one, the audio's hash of a free one. */
  readonly key: string;
  readonly operation: string | null;
  readonly billed: boolean;
  readonly billed_ms: number;
  readonly fault: Fault | null;
}

/** Calls that arrived and were not over yet. */
export interface Stats {
  readonly in_flight: number;
  readonly peak_in_flight: number;
  /** The same for each kind of call. */
  readonly peaks: Readonly<Record<string, number>>;
  readonly billed: number;
}
