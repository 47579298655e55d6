import type { FastifyInstance } from 'fastify';
import type { MetricSpec, Metrics } from './metrics.ts';

/** Requests by route, never by address: an address holds ids. */
export const HTTP_METRICS = {
  duration: {
    name: 'earshot_http_request_duration_seconds',
    kind: 'histogram',
    help: 'From a request’s arrival to the end of its answer',
    labels: ['method', 'route', 'status'],
    buckets: [0.005, 0.02, 0.1, 0.5, 1, 5, 30],
  } satisfies MetricSpec<'method' | 'route' | 'status'>,
} as const;

/** Adds `/metrics`, and counts the requests of API routes; call it before routes are added. */
export function registerMetrics(server: FastifyInstance, metrics: Metrics): void {
  server.addHook('onRoute', ({ method, url }) => {
    if (!url.startsWith('/v1/')) return;
    for (const one of [method].flat()) {
      metrics.start(HTTP_METRICS.duration, { method: one, route: url, status: '2xx' });
    }
  });
  server.addHook('onResponse', async (request, reply) => {
    const route = request.routeOptions.url;
    if (!route?.startsWith('/v1/')) return;
    const status = `${Math.floor(reply.statusCode / 100)}xx`;
    const seconds = reply.elapsedTime / 1000;
    metrics.record(HTTP_METRICS.duration, seconds, { method: request.method, route, status });
  });
  server.get('/metrics', { schema: { hide: true } }, async (_request, reply) =>
    reply.type('text/plain; version=0.0.4; charset=utf-8').send(await metrics.scrape()),
  );
}
