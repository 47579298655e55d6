import type { OutgoingMessage } from '@earshot/contracts';
import type { CodedError } from '@earshot/domain';

/** How the handling of a job ended. The loop publishes `publish`, then does what the outcome says, then acknowledges. */
export type Outcome =
  | { readonly kind: 'done'; readonly publish: readonly OutgoingMessage[] }
  /** A failed attempt: run again after backoff, or give up after the last attempt. */
  | { readonly kind: 'retry'; readonly error: CodedError; readonly stderr_tail?: string | undefined }
  /** Not now, and no attempt burnt. */
  | { readonly kind: 'later'; readonly after_ms: number }
  | { readonly kind: 'give_up'; readonly error: CodedError; readonly stderr_tail?: string | undefined }
  /** Stopped from outside (stop, lost lease): handed back at once, no attempt burnt. */
  | { readonly kind: 'interrupted' };

/** A job that was taken, and what its handler may use while it holds the lease. */
export interface TakenJob<Data> {
  readonly data: Data;
  readonly subject: string;
  /** 1 for the first delivery of this message; a kill or a stop raises it, a retry starts again at 1. */
  readonly delivery: number;
  /** Where the message stands in its stream: tells it from another one with the same job. */
  readonly seq: number;
  readonly traceparent: string | undefined;
  /** Aborted when the lease is lost, the transcript is canceled or deleted, or the service stops. */
  readonly signal: AbortSignal;
}

/** Does one job. Throwing a coded error is `retry` or `give_up` by its class; anything else thrown is `retry`. */
export type JobHandler<Data> = (job: TakenJob<Data>) => Promise<Outcome>;

/** What the loop must know about a kind of job to read, retry and give up on it. */
export interface JobKind<Data> {
  read(event: unknown): Data;
  /** Attempt number the job carries. */
  attempt(data: Data): number;
  /** The same job for a later attempt. */
  withAttempt(data: Data, attempt: number, traceparent: string | undefined): OutgoingMessage;
  /** The fact that the job was given up on. */
  gaveUp(
    data: Data,
    error: CodedError,
    evidence: { worker: string; stderr_tail?: string | undefined },
    traceparent: string | undefined,
  ): OutgoingMessage;
  /** Subject of the facts that tell whether the transcript was canceled or deleted meanwhile. */
  statesSubject(data: Data): string;
}
