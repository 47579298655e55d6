import { type Attributes, type Span, SpanStatusCode, trace } from '@opentelemetry/api';

/** The spans of this service, beside those of messages; nothing without a running SDK. */
export const tracer = trace.getTracer('earshot-transcription');

/**
 * Runs `work` beside a span that ends with it, in an error when it rejects. What the work publishes and calls becomes its
 * sibling, not its child: a worker that is killed in mid work leaves no spans without their parent.
 */
export async function inSpan<T>(
  name: string,
  attributes: Attributes,
  work: (span: Span) => Promise<T>,
): Promise<T> {
  const span = tracer.startSpan(name, { attributes });
  try {
    return await work(span);
  } catch (error) {
    const { code, name, message } = error as { code?: string; name?: string; message?: string };
    span.setAttribute('error.type', code ?? name ?? 'error');
    span.setStatus({ code: SpanStatusCode.ERROR, message: message ?? String(error) });
    throw error;
  } finally {
    span.end();
  }
}
