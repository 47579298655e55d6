import type { Outcome } from '@earshot/jobs';
import type { Delivery } from '../take/delivery.ts';

/** How a message was settled: the outcome, or what took its place. */
export type Settled =
  | Outcome['kind']
  | 'canceled'
  | 'lease_lost'
  /** A last message could not be published; the work comes again. */
  | 'unpublished';

/** The answer to the broker; undefined lets the lease run out. */
export interface Verdict {
  readonly settled: Settled;
  readonly answer: string | undefined;
}

/** One message, opened by the policy of its kind. */
export interface OpenedMessage {
  /** The trace it belongs to. */
  readonly traceparent: string | undefined;
  /** Number of the attempt it carries, when it is a job. */
  readonly attempt?: number | undefined;
  /** True when nobody wants the work any more; asked before it starts and with each beat. Never rejects. */
  unwanted(): Promise<boolean>;
  /** Does the work; may throw. */
  run(signal: AbortSignal): Promise<Outcome>;
  /** Publishes what the outcome asks for, then says how to answer the broker. Never rejects. */
  settle(outcome: Outcome): Promise<Verdict>;
}

/** What outcomes mean for a kind of message. */
export interface MessagePolicy {
  /** Never throws: a message that cannot be read opens as one that gives up. */
  open(delivery: Delivery): OpenedMessage;
}
