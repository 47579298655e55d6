import { setTimeout as pause } from 'node:timers/promises';
import { laterSubject, type OutgoingMessage } from '@earshot/contracts';
import { CodedError } from '@earshot/domain';
import type { FirstResult, Publisher } from '@earshot/jobs';
import { NoAnswer } from '../connection/no-answer.ts';
import type { Requests } from '../connection/requests.ts';
import type { MessageSpans } from '../trace/message-spans.ts';
import { type AllowedHeader, allowedHeaders } from './headers.ts';
import { type PubAck, readPubAck } from './pub-ack.ts';

/** Largest payload in bytes: below the broker's `max_payload` of 1 MB, which would end the connection. */
export const MAX_PAYLOAD_BYTES = 900 * 1024;

/** How long a publish is repeated, and how long one try waits for its PubAck; milliseconds. */
export interface PublisherLimits {
  readonly totalMs: number;
  readonly tryMs: number;
}

type Answered = Exclude<PubAck, { kind: 'try_again' }>;
type HeaderValues = Partial<Record<AllowedHeader, string | undefined>>;

/**
 * Publishes structured CloudEvents and waits for the broker's PubAck. A try without an answer is repeated, so a message
 * may be stored twice (`publish`), or be reported `already_there` though it was our own lost try that stored it
 * (`publishFirst`): both mean the message is there.
 */
export class BrokerPublisher implements Publisher {
  readonly #requests: Requests;
  readonly #spans: MessageSpans;
  readonly #limits: PublisherLimits;

  constructor(
    requests: Requests,
    spans: MessageSpans,
    limits: PublisherLimits = { totalMs: 10_000, tryMs: 3_000 },
  ) {
    this.#requests = requests;
    this.#spans = spans;
    this.#limits = limits;
  }

  async publish(message: OutgoingMessage): Promise<void> {
    await this.#store(message.subject, message, {});
  }

  async publishFirst(message: OutgoingMessage, scope?: string): Promise<FirstResult> {
    const { kind } = await this.#store(message.subject, message, {
      'Nats-Expected-Last-Subject-Sequence': '0',
      'Nats-Expected-Last-Subject-Sequence-Subject': scope,
    });
    return kind;
  }

  async publishLater(message: OutgoingMessage, at: Date): Promise<void> {
    await this.#store(laterSubject(message.subject), message, {
      'Nats-Schedule': `@at ${at.toISOString()}`,
      'Nats-Schedule-Target': message.subject,
    });
  }

  async #store(subject: string, message: OutgoingMessage, values: HeaderValues): Promise<Answered> {
    const payload = encode(message);
    const { event, traceparent } = message;
    const traced = { subject, id: event.id, bytes: payload.length, traceparent };
    return this.#spans.publish(traced, (sent) =>
      this.#storeWithin(subject, payload, { ...values, traceparent: sent }),
    );
  }

  async #storeWithin(subject: string, payload: string, values: HeaderValues): Promise<Answered> {
    const headers = allowedHeaders({ ...values, 'content-type': 'application/cloudevents+json' });
    const deadline = performance.now() + this.#limits.totalMs;
    for (let wait = 50; ; wait = Math.min(wait * 2, 1_000)) {
      const left = deadline - performance.now();
      const timeoutMs = Math.min(this.#limits.tryMs, left);
      const answer = await this.#tryOnce(subject, payload, { headers, timeoutMs });
      if (answer.kind !== 'try_again') return answer;
      if (performance.now() + wait >= deadline) {
        throw new CodedError('unavailable', `the broker did not store a message: ${answer.detail}`);
      }
      await pause(wait * (0.5 + Math.random() / 2));
    }
  }

  async #tryOnce(
    subject: string,
    payload: string,
    options: { headers: ReturnType<typeof allowedHeaders>; timeoutMs: number },
  ): Promise<PubAck> {
    try {
      return readPubAck(await this.#requests.request(subject, payload, options));
    } catch (error) {
      if (!(error instanceof NoAnswer)) throw error;
      if (error.final) throw new CodedError('unavailable', error.message, { cause: error });
      return { kind: 'try_again', detail: error.message };
    }
  }
}

function encode(message: OutgoingMessage): string {
  const payload = JSON.stringify(message.event);
  const size = Buffer.byteLength(payload);
  if (size <= MAX_PAYLOAD_BYTES) return payload;
  throw new CodedError(
    'internal',
    `a message of ${size} bytes for ${message.subject} is too large: keep its data in storage and send a dataref`,
  );
}
