import {
  type Attributes,
  type Context,
  context,
  type Span,
  SpanKind,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api';
import {
  ATTEMPT,
  connectionAttributes,
  DELIVERY,
  ERROR_TYPE,
  messageAttributes,
  type Operation,
  OUTCOME,
  spanName,
  type TracedMessage,
} from './conventions.ts';
import { readTraceparent, remoteParent, writeTraceparent } from './traceparent.ts';

/** A message somebody handed to us. */
export interface ConsumedMessage extends TracedMessage {
  readonly traceparent: string | undefined;
  /** 1 for the first delivery. */
  readonly delivery: number;
  /** Number of the attempt that the message carries, when it is a job. */
  readonly attempt?: number | undefined;
}

/** The spans of one connection's messages; without a running SDK they cost nothing and change nothing. */
export class MessageSpans {
  readonly #tracer = trace.getTracer('earshot-messaging');
  readonly #clientId: string;
  readonly #server: () => string;

  /** `server` tells the `host:port` that we are connected to at the moment: after a reconnect it may be another one. */
  constructor(clientId: string, server: () => string) {
    this.#clientId = clientId;
    this.#server = server;
  }

  /**
   * A producer span around `store`, which gets the `traceparent` to send. The span belongs to the trace of `traceparent`, and
   * is the child of the span at work when that one does too; otherwise it is linked to it.
   */
  publish<T>(
    message: TracedMessage & { readonly traceparent: string | undefined },
    store: (traceparent: string | undefined) => Promise<T>,
  ): Promise<T> {
    const { parent, links } = producerParent(message.traceparent);
    const span = this.#start('publish', message, { kind: SpanKind.PRODUCER, links }, parent);
    const sent = writeTraceparent(span.spanContext()) ?? message.traceparent;
    return inSpan(span, parent, () => store(sent));
  }

  /**
   * A `receive` span, child of the producer's, and below it a `process` span as long as `work`, which gets it. What the work
   * does hangs below `receive`, which ends and is sent at once: a worker that is killed leaves a trace of what it had taken,
   * and no spans without their parent.
   */
  async process<T>(message: ConsumedMessage, work: (span: Span) => Promise<T>): Promise<T> {
    const parent = remoteParent(message.traceparent);
    const attributes = { [DELIVERY]: message.delivery, [ATTEMPT]: message.attempt };
    const options = { kind: SpanKind.CONSUMER, attributes };
    const received = this.#start('receive', message, options, parent);
    received.end();
    const inside = trace.setSpan(parent, received);
    const span = this.#start('process', message, options, inside);
    return endWith(span, () => context.with(inside, () => work(span)));
  }

  /** One span of its own around `work` for a batch, and for each of its messages one in the message's trace, linked to it. */
  async processBatch<T>(
    batch: TracedMessage,
    messages: readonly ConsumedMessage[],
    work: () => Promise<T>,
  ): Promise<T> {
    const kind = SpanKind.CONSUMER;
    const root = remoteParent(undefined);
    const whole = this.#start('process', { ...batch, batch: messages.length }, { kind }, root);
    const links = [{ context: whole.spanContext() }];
    const singles = messages.map((message) => {
      const attributes = { [DELIVERY]: message.delivery };
      return this.#start('process', message, { kind, attributes, links }, remoteParent(message.traceparent));
    });
    try {
      return await inSpan(whole, root, work);
    } catch (error) {
      for (const span of singles) fail(span, error);
      throw error;
    } finally {
      for (const span of singles) span.end();
    }
  }

  /** A span around an answer to the broker; none outside of a `process` span. */
  settle<T>(operation: 'ack' | 'nak', message: TracedMessage, answer: () => Promise<T>): Promise<T> {
    if (!trace.getActiveSpan()) return answer();
    const active = context.active();
    return inSpan(this.#start(operation, message, { kind: SpanKind.CLIENT }, active), active, answer);
  }

  #start(
    operation: Operation,
    message: TracedMessage,
    { attributes, ...options }: { kind: SpanKind; attributes?: Attributes; links?: { context: SpanLink }[] },
    parent: Context,
  ): Span {
    const connection = connectionAttributes(this.#clientId, this.#server());
    const all = { ...connection, ...messageAttributes(operation, message), ...attributes };
    return this.#tracer.startSpan(
      spanName(operation, message.subject),
      { ...options, attributes: all },
      parent,
    );
  }
}

/** Notes on a `process` span how its message was settled, and the error when that was a failure. */
export function noteOutcome(span: Span, settled: string, error: unknown): void {
  span.setAttribute(OUTCOME, settled);
  if (error) fail(span, error);
}

/** The `traceparent` of the span at work; undefined without one. */
export const activeTraceparent = (): string | undefined =>
  writeTraceparent(trace.getActiveSpan()?.spanContext());

type SpanLink = ReturnType<Span['spanContext']>;

function producerParent(traceparent: string | undefined): {
  parent: Context;
  links: { context: SpanLink }[];
} {
  const active = trace.getActiveSpan()?.spanContext();
  const own = readTraceparent(traceparent);
  if (!own || own.traceId === active?.traceId) return { parent: context.active(), links: [] };
  return { parent: remoteParent(traceparent), links: active ? [{ context: active }] : [] };
}

const inSpan = <T>(span: Span, parent: Context, work: () => Promise<T>): Promise<T> =>
  endWith(span, () => context.with(trace.setSpan(parent, span), work));

async function endWith<T>(span: Span, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    fail(span, error);
    throw error;
  } finally {
    span.end();
  }
}

function fail(span: Span, error: unknown): void {
  const { code, name, message } = error as { code?: string; name?: string; message?: string };
  span.setAttribute(ERROR_TYPE, code ?? name ?? 'error');
  span.setStatus({ code: SpanStatusCode.ERROR, message: message ?? String(error) });
}
