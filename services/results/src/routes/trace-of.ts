import { traceparentOf } from '@earshot/intake';
import type { FastifyRequest } from 'fastify';

/** The caller's W3C trace context, when it sent one of the right form. */
export const traceOf = ({ headers }: FastifyRequest): string | undefined =>
  traceparentOf(headers.traceparent);
