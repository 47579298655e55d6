import { gaveUp, type OutgoingMessage } from '@earshot/contracts';
import type { CodedError } from '@earshot/domain';
import type { Broker } from '../connection/broker.ts';
import type { Log } from '../log.ts';
import { ACK } from '../take/acknowledge.ts';
import type { Delivery } from '../take/delivery.ts';
import { parseJobSubject } from './parse-job-subject.ts';
import type { OpenedMessage } from './policy.ts';

/** A job nobody can read: given up on as far as its subject tells whose it is, otherwise only logged; never kept. */
export function openUnreadable(
  options: { broker: Broker; worker: string; log: Log },
  delivery: Delivery,
  error: CodedError,
): OpenedMessage {
  return {
    traceparent: delivery.headers.traceparent,
    unwanted: async () => false,
    run: async () => ({ kind: 'give_up', error }),
    settle: async () => {
      const fact = unreadableFact(delivery, error, options.worker);
      const fields = { subject: delivery.subject, detail: error.message, errors: error.errors };
      options.log.error(fields, 'a job could not be read');
      try {
        if (fact) await options.broker.publisher.publish(fact);
        return { settled: 'give_up', answer: ACK };
      } catch {
        return { settled: 'unpublished', answer: undefined };
      }
    },
  };
}

function unreadableFact(delivery: Delivery, error: CodedError, worker: string): OutgoingMessage | undefined {
  const place = parseJobSubject(delivery.subject);
  if (!place) return undefined;
  return gaveUp.create(
    {
      tenant_id: place.tenant,
      transcript_id: place.id,
      stage: place.stage,
      plan: place.plan,
      n: place.n,
      generation: generationIn(delivery.bytes),
      attempt: 1,
      code: 'unreadable_message',
      evidence: { detail: error.message, errors: [...error.errors], worker },
      job: Buffer.from(delivery.bytes).toString('base64'),
    },
    { source: 'earshot/messaging', traceparent: delivery.headers.traceparent },
  );
}

/** The generation when at least that can be read: a `gave_up` settles only its own. */
function generationIn(bytes: Uint8Array): number {
  try {
    const generation: unknown = JSON.parse(Buffer.from(bytes).toString())?.data?.generation;
    return Number.isInteger(generation) && (generation as number) >= 0 ? (generation as number) : 0;
  } catch {
    return 0;
  }
}
