import type { FastifyInstance, FastifyPluginAsync } from 'fastify';
import { type Health, registerHealth } from './health.ts';
import { createHttpServer, type HttpServer, type HttpServerOptions } from './http-server.ts';
import { registerMetrics } from './metrics/http-metrics.ts';
import type { Metrics } from './metrics/metrics.ts';

export interface HttpOptions extends HttpServerOptions {
  /** Port to listen on; 0 takes a free one. */
  readonly port: number;
  readonly host: string;
  readonly routes: readonly FastifyPluginAsync[];
  readonly health: Health;
  /** Told at `/metrics`, and gets the requests. */
  readonly metrics?: Metrics | undefined;
}

/** A listening server. */
export interface RunningHttp {
  /** Where it answers, e.g. `http://127.0.0.1:8080`. */
  readonly url: string;
  /** Answers what is under way, then closes; what takes longer than `withinMs` (default: no limit) is cut off. Idempotent. */
  close(withinMs?: number): Promise<void>;
}

/** Creates a server with `routes` and health, and listens. Throws a sentence that names the port when it is taken. */
export async function startHttp(options: HttpOptions): Promise<RunningHttp> {
  const server = await createHttpServer(options);
  if (options.metrics) registerMetrics(server as unknown as FastifyInstance, options.metrics);
  for (const plugin of options.routes) await server.register(plugin);
  registerHealth(server, options.health);
  try {
    await server.listen({ port: options.port, host: options.host });
  } catch (error) {
    await server.close();
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    throw new Error(`port ${options.port} is taken by another program: stop it, or set PORT`, {
      cause: error,
    });
  }
  const { port } = server.server.address() as { port: number };
  const host = options.host.includes(':') ? `[${options.host}]` : options.host;
  return { url: `http://${host}:${port}`, close: (withinMs) => closeWithin(server, withinMs) };
}

async function closeWithin(server: HttpServer, withinMs: number | undefined): Promise<void> {
  const cutOff = () => server.server.closeAllConnections();
  const timer = withinMs === undefined ? undefined : setTimeout(cutOff, withinMs);
  await server.close();
  clearTimeout(timer);
}
