import type { OutgoingMessage } from '@earshot/contracts';
import { type CodedError, toCodedError } from '@earshot/domain';
import type { Outcome } from '@earshot/jobs';
import type { Broker } from '../connection/broker.ts';
import type { Log } from '../log.ts';
import { ACK, NAK, nakAfter } from '../take/acknowledge.ts';
import type { Delivery } from '../take/delivery.ts';
import { activeTraceparent } from '../trace/message-spans.ts';
import type { Backoff } from './backoff.ts';
import type { MessagePolicy, OpenedMessage, Verdict } from './policy.ts';
import { publishLast } from './publish-last.ts';

/** A message as it came, for handlers that read it themselves. */
export interface RawMessage {
  readonly subject: string;
  /** Names in lower case, the first value of each. */
  readonly headers: Readonly<Record<string, string>>;
  readonly bytes: Uint8Array;
  /** 1 for the first delivery. */
  readonly delivery: number;
  readonly traceparent: string | undefined;
  /** When the stream stored it. */
  readonly time: Date;
}

/** A raw message in a handler's hands; `signal` is aborted when the lease is lost or the service stops. */
export interface TakenEvent extends RawMessage {
  readonly signal: AbortSignal;
}

/** Does the work of one raw message; throwing is `retry` or `give_up` by the error's class. */
export type EventHandler = (event: TakenEvent) => Promise<Outcome>;

/** What the policy of events needs. */
export interface EventPolicyOptions {
  readonly broker: Broker;
  readonly handle: EventHandler;
  /** The fact that keeps a message that was given up on. */
  readonly gaveUp: (message: RawMessage, error: CodedError) => OutgoingMessage;
  readonly maxDeliveries: number;
  readonly backoff: Backoff;
  readonly onAlreadyThere: (subject: string) => void;
  readonly log: Log;
}

/**
 * Events have no schedules and no attempt number: they wait by a delayed nak. That holds a place of `max_ack_pending`,
 * forbidden for jobs, and right here: the consumer has 1000 places, its work is short, and the publisher's own message
 * stays the only copy. Trouble of ours (`ours`, a bug) ends after `maxDeliveries` deliveries; trouble of others never does.
 */
export function eventPolicy(options: EventPolicyOptions): MessagePolicy {
  return { open: (delivery) => new OpenedEvent(options, delivery) };
}

class OpenedEvent implements OpenedMessage {
  readonly traceparent: string | undefined;
  readonly #options: EventPolicyOptions;
  readonly #message: RawMessage;

  constructor(options: EventPolicyOptions, delivery: Delivery) {
    const { subject, headers, bytes, time, count } = delivery;
    this.#options = options;
    this.traceparent = headers.traceparent ?? traceparentIn(delivery);
    this.#message = { subject, headers, bytes, time, delivery: count, traceparent: headers.traceparent };
  }

  async unwanted(): Promise<boolean> {
    return false;
  }

  run(signal: AbortSignal): Promise<Outcome> {
    return this.#options.handle({ ...this.#inTrace(), signal });
  }

  async settle(outcome: Outcome): Promise<Verdict> {
    try {
      return await this.#settle(outcome);
    } catch (error) {
      const coded = toCodedError(error);
      const fields = { subject: this.#message.subject, code: coded.code, detail: coded.message };
      this.#options.log.warn(fields, 'the last messages of an event could not be published');
      return { settled: 'unpublished', answer: this.#nakLater() };
    }
  }

  async #settle(outcome: Outcome): Promise<Verdict> {
    const { broker, maxDeliveries, onAlreadyThere } = this.#options;
    switch (outcome.kind) {
      case 'done':
        await publishLast(broker.publisher, outcome.publish, onAlreadyThere);
        return { settled: 'done', answer: ACK };
      case 'later':
        return { settled: 'later', answer: nakAfter(outcome.after_ms) };
      case 'retry':
        if (outcome.error.class === 'ours' && this.#message.delivery >= maxDeliveries) {
          return this.#giveUp(outcome.error);
        }
        return { settled: 'retry', answer: this.#nakLater() };
      case 'give_up':
        return this.#giveUp(outcome.error);
      case 'interrupted':
        return { settled: 'interrupted', answer: NAK };
    }
  }

  /** What comes of an event belongs to the span at work, which is the root where the publisher named no trace. */
  #inTrace(): RawMessage {
    return { ...this.#message, traceparent: activeTraceparent() ?? this.#message.traceparent };
  }

  #nakLater(): string {
    return nakAfter(this.#options.backoff(this.#message.delivery));
  }

  async #giveUp(error: CodedError): Promise<Verdict> {
    await this.#options.broker.publisher.publish(this.#options.gaveUp(this.#inTrace(), error));
    return { settled: 'give_up', answer: ACK };
  }
}

/** The `traceparent` of a CloudEvent whose publisher set no header of that name: in binary mode, or in its JSON. */
function traceparentIn({ headers, bytes }: Delivery): string | undefined {
  if (headers['ce-traceparent']) return headers['ce-traceparent'];
  try {
    const { traceparent } = JSON.parse(Buffer.from(bytes).toString()) as { traceparent?: unknown };
    return typeof traceparent === 'string' ? traceparent : undefined;
  } catch {
    return undefined; // Whoever reads the event says what is wrong with it.
  }
}
