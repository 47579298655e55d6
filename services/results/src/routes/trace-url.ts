/** Where a trace can be looked at; null where nobody said. */
export type TraceUrl = (traceId: string) => string | null;

/** Fills a trace id into the template of EARSHOT_TRACE_URL_TEMPLATE. */
export const traceUrlFrom =
  (template: string | undefined): TraceUrl =>
  (traceId) =>
    template?.replaceAll('{trace_id}', traceId) ?? null;

/** What a transcript's document tells of its trace. */
export function traceFields(traceparent: string | null, traceUrl: TraceUrl) {
  const trace_id = traceparent?.split('-')[1] ?? null;
  return { trace_id, trace_url: trace_id === null ? null : traceUrl(trace_id) };
}
