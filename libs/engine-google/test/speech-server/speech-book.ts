import type { grpc } from 'google-gax';

/** A status of gRPC as the end of an operation, or as the error of its file. */
export type LateFailure = `${'operation' | 'file'} ${keyof typeof grpc.status}`;

/** What the server does to one call of `BatchRecognize`, or to the operation it starts. */
export type SpeechFault =
  /** The answer is lost: the operation runs, and the caller gets UNAVAILABLE. */
  | 'lose_reply'
  /** The operation runs, and no answer ever comes. */
  | 'hang_after'
  /** UNAVAILABLE before anything began. */
  | 'drop'
  /** RESOURCE_EXHAUSTED with RetryInfo. */
  | 'quota'
  /** INVALID_ARGUMENT. */
  | 'refuse'
  /** NOT_FOUND, of the model or its location. */
  | 'no_model'
  /** The operation runs, and nobody knows its name afterwards. */
  | 'forget'
  /** The operation runs, and fails. */
  | LateFailure;

/** How the server behaves from now on. */
export interface SpeechBehaviour {
  /** How long an operation runs; also those that run already. */
  readonly operationMs: number;
  /** From a call until `ListOperations` shows its operation. */
  readonly visibleAfterMs: number;
  /** What RetryInfo says. */
  readonly retryAfterMs: number;
  /** While true nothing is answered that is asked about operations. */
  readonly silent: boolean;
  /** While true whoever asks about operations has asked too often: RESOURCE_EXHAUSTED. */
  readonly busy: boolean;
  /** While true every call is answered RESOURCE_EXHAUSTED. */
  readonly outOfQuota: boolean;
  /** One for each of the next calls, in order; undefined for one that meets none. */
  readonly faults: readonly (SpeechFault | undefined)[];
}

export const healthySpeech: SpeechBehaviour = {
  operationMs: 0,
  visibleAfterMs: 0,
  retryAfterMs: 1_000,
  silent: false,
  busy: false,
  outOfQuota: false,
  faults: [],
};

/** One line of the server's book. */
export interface SpeechEntry {
  readonly at: number;
  readonly kind: 'call' | 'get' | 'list' | 'cancel';
  readonly operation: string | undefined;
  /** Output address of the call, or that of its sound where it has none. */
  readonly key: string;
  readonly audio: string;
  readonly billed: boolean;
  readonly billedMs: number;
  readonly fault: SpeechFault | undefined;
}
