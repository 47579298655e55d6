import { finalFacts, type OutgoingMessage } from '@earshot/contracts';
import type { OutboxRow } from '../store/sql/outbox.ts';

/** The CloudEvents source of everything that results publishes. */
export const SOURCE = 'earshot/results';

/** The message of an outbox row; the same row always gives the same event id, so that readers can tell repeats. */
export function finalMessage({ payload, traceparent }: OutboxRow): OutgoingMessage {
  const message = finalFacts[payload.status].create(payload, {
    source: SOURCE,
    traceparent: traceparent ?? undefined,
  });
  const id = `${payload.transcript_id}.${payload.revision}.${payload.status}`;
  return { ...message, event: { ...message.event, id } };
}
