import type { CodedError } from '@earshot/domain';

/** The vendor certainly did not take the call, so it costs nothing; `quota_exceeded` says when to come back. */
export interface Refused {
  readonly refused: CodedError;
}

/** What the vendor charges for, in milliseconds of audio, if it tells: the ledger keeps it, and the budget counts it. */
export interface Billed {
  readonly billed_ms?: number | undefined;
}

/** How an operation stands. One that failed with a transient code is tried again, by another call. */
export type OperationState<Result> =
  | { readonly state: 'running' }
  | ({ readonly state: 'done'; readonly result: Result } & Billed)
  | ({ readonly state: 'failed'; readonly error: CodedError } & Billed);

/**
 * A paid call that starts an operation, and can be found again by the output URI it was made with. No function repeats
 * its request; an aborted signal closes the connection. What `call` throws means that nobody knows whether it arrived.
 */
export interface LookupCall<Result> {
  readonly billing: 'lookup';
  /** True when its operation may run for hours: nobody waits for it, the job comes back. */
  readonly slow?: boolean | undefined;
  /**
   * Brings what the call needs to where the vendor reads it, before a try is claimed, because a call must follow its claim at
   * once. `root` is what its output URI will have in front. May be repeated.
   */
  prepare?(root: string, signal: AbortSignal): Promise<void>;
  /** `outputUri` is a relative path that no other call has; the engine may put a bucket in front of it. */
  call(outputUri: string, signal: AbortSignal): Promise<{ readonly operation: string } | Refused>;
  /** The name of the operation that was started with `outputUri`, once the vendor shows it. */
  find(outputUri: string, signal: AbortSignal): Promise<string | undefined>;
  poll(operation: string, signal: AbortSignal): Promise<OperationState<Result>>;
  cancel(operation: string, signal: AbortSignal): Promise<void>;
}

/**
 * A paid call whose answer is the result, and that leaves no trace one could ask for. The same rules; `key` is for vendors
 * that take idempotency keys.
 */
export interface BlindCall<Result> {
  readonly billing: 'blind';
  call(key: string, signal: AbortSignal): Promise<({ readonly result: Result } & Billed) | Refused>;
}

export type PaidCall<Result> = LookupCall<Result> | BlindCall<Result>;

/** Writes a paid call down before it is made, so that whoever comes after a crash does not make it again. */
export interface PaidCallLedger {
  /** The result, which must be plain JSON, of the one call this chunk needs: made now, or by somebody before. */
  pay<Result>(call: PaidCall<Result>): Promise<Result>;
}
