import type { CloudEvent } from '@earshot/contracts';
import { CodedError, toCodedError } from '@earshot/domain';
import type { JobHandler, JobKind, Outcome } from '@earshot/jobs';
import type { Broker } from '../connection/broker.ts';
import type { Log } from '../log.ts';
import { ACK, NAK } from '../take/acknowledge.ts';
import type { Delivery } from '../take/delivery.ts';
import type { Backoff } from './backoff.ts';
import type { MessagePolicy, OpenedMessage, Settled, Verdict } from './policy.ts';
import { publishLast } from './publish-last.ts';
import { openUnreadable } from './unreadable-job.ts';

/** What the policy of jobs needs; times are milliseconds. */
export interface JobPolicyOptions<Data> {
  readonly broker: Broker;
  readonly kind: JobKind<Data>;
  readonly handler: JobHandler<Data>;
  readonly worker: string;
  readonly maxAttempts: number;
  readonly maxDeliveries: number;
  readonly backoff: Backoff;
  /** How long the question whether a transcript was canceled may take. */
  readonly askMs: number;
  readonly onAlreadyThere: (subject: string) => void;
  readonly log: Log;
}

/** How long work waits whose last messages the broker did not take. */
const UNPUBLISHED_WAIT_MS = 15_000;

/** Retries by schedule, gives up by fact, and lets go of jobs whose transcript was canceled or deleted. */
export function jobPolicy<Data>(options: JobPolicyOptions<Data>): MessagePolicy {
  return {
    open: (delivery) => {
      try {
        const event = JSON.parse(Buffer.from(delivery.bytes).toString()) as CloudEvent;
        return new OpenedJob(options, delivery, options.kind.read(event));
      } catch (error) {
        return openUnreadable(options, delivery, toCodedError(error, 'unreadable_message'));
      }
    },
  };
}

class OpenedJob<Data> implements OpenedMessage {
  readonly #options: JobPolicyOptions<Data>;
  readonly #delivery: Delivery;
  readonly #data: Data;
  readonly traceparent: string | undefined;

  constructor(options: JobPolicyOptions<Data>, delivery: Delivery, data: Data) {
    this.#options = options;
    this.#delivery = delivery;
    this.#data = data;
    this.traceparent = delivery.headers.traceparent;
  }

  get attempt(): number {
    return this.#options.kind.attempt(this.#data);
  }

  async unwanted(): Promise<boolean> {
    const { broker, kind, askMs } = this.#options;
    try {
      const fact = await broker.facts.last(kind.statesSubject(this.#data), askMs);
      const state = fact?.subject.split('.').at(-1);
      return state === 'canceled' || state === 'deleted';
    } catch {
      return false; // Not known now: the next beat asks again.
    }
  }

  async run(signal: AbortSignal): Promise<Outcome> {
    const { count, subject, seq } = this.#delivery;
    if (count >= this.#options.maxDeliveries) {
      const detail = `the job was taken ${count} times and never finished`;
      return { kind: 'retry', error: new CodedError('worker_crashed', detail) };
    }
    const { traceparent } = this;
    return this.#options.handler({ data: this.#data, subject, delivery: count, seq, traceparent, signal });
  }

  async settle(outcome: Outcome): Promise<Verdict> {
    if (outcome.kind === 'interrupted') return { settled: 'interrupted', answer: NAK };
    try {
      return { settled: await this.#publish(outcome), answer: ACK };
    } catch (error) {
      const coded = toCodedError(error);
      this.#options.log.warn(
        { subject: this.#delivery.subject, code: coded.code, detail: coded.message },
        'the last messages of a job could not be published',
      );
      // A message that can never be published must not bring its job back for ever.
      if (outcome.kind === 'done' && coded.class !== 'transient')
        return this.settle({ kind: 'retry', error: coded });
      return this.#postpone();
    }
  }

  async #publish(outcome: Exclude<Outcome, { kind: 'interrupted' }>): Promise<Settled> {
    switch (outcome.kind) {
      case 'done':
        await publishLast(this.#options.broker.publisher, outcome.publish, this.#options.onAlreadyThere);
        return 'done';
      case 'later':
        await this.#schedule(this.attempt, outcome.after_ms);
        return 'later';
      case 'retry':
        if (this.attempt >= this.#options.maxAttempts) return this.#giveUp(outcome);
        await this.#schedule(this.attempt + 1, this.#options.backoff(this.attempt));
        return 'retry';
      case 'give_up':
        return this.#giveUp(outcome);
    }
  }

  async #schedule(attempt: number, afterMs: number): Promise<void> {
    const { broker, kind } = this.#options;
    const message = kind.withAttempt(this.#data, attempt, this.traceparent);
    await broker.publisher.publishLater(message, new Date(Date.now() + afterMs));
  }

  async #giveUp(outcome: { error: CodedError; stderr_tail?: string | undefined }): Promise<'give_up'> {
    const { broker, kind, worker } = this.#options;
    const evidence = { worker, stderr_tail: outcome.stderr_tail };
    await broker.publisher.publish(kind.gaveUp(this.#data, outcome.error, evidence, this.traceparent));
    return 'give_up';
  }

  /** Later without an attempt; when not even that can be published, the lease runs out and the broker brings it back. */
  async #postpone(): Promise<Verdict> {
    try {
      await this.#schedule(this.attempt, UNPUBLISHED_WAIT_MS * (1 + Math.random()));
      return { settled: 'unpublished', answer: ACK };
    } catch {
      return { settled: 'unpublished', answer: undefined };
    }
  }
}
