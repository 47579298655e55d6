import { subjectTemplate } from '@earshot/contracts';
import type { Attributes } from '@opentelemetry/api';

/**
 * OpenTelemetry's names for messaging (semantic conventions 1.45). They are still in development and NATS is not among the
 * known systems, so they are spelt in this file only.
 */
const TYPE_OF = {
  publish: 'send',
  receive: 'receive',
  process: 'process',
  ack: 'settle',
  nak: 'settle',
} as const;

/** What is done with a message. */
export type Operation = keyof typeof TYPE_OF;

/** What a span tells of a message, or of a batch of them. */
export interface TracedMessage {
  readonly subject: string;
  readonly durable?: string;
  /** Of the CloudEvent. */
  readonly id?: string;
  readonly bytes?: number;
  readonly batch?: number;
}

/** Of one connection: who we are, and which server it is (`host:port`). */
export function connectionAttributes(clientId: string, server: string): Attributes {
  const [, host = server, port] = /^(.*):(\d+)$/.exec(server) ?? [];
  return {
    'messaging.system.name': 'nats',
    'messaging.client.id': clientId,
    'server.address': host,
    'server.port': port && Number(port),
  };
}

/** Low in cardinality: the subject without the names and numbers in it. */
export const spanName = (operation: Operation, subject: string) =>
  `${operation} ${subjectTemplate(subject) ?? subject}`;

/** Absent ones are left out. */
export const messageAttributes = (operation: Operation, message: TracedMessage): Attributes => ({
  'messaging.operation.name': operation,
  'messaging.operation.type': TYPE_OF[operation],
  'messaging.destination.name': message.subject,
  'messaging.destination.template': subjectTemplate(message.subject),
  'messaging.destination.subscription.name': message.durable,
  'messaging.message.id': message.id,
  'messaging.message.body.size': message.bytes,
  'messaging.batch.message_count': message.batch,
});

/** How a message came and ended: our own names. */
export const DELIVERY = 'earshot.delivery';
export const ATTEMPT = 'earshot.attempt';
export const OUTCOME = 'earshot.outcome';
export const ERROR_TYPE = 'error.type';
