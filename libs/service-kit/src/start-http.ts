import type { FastifyPluginAsync } from 'fastify';
import { type Health, registerHealth } from './health.ts';
import { createHttpServer, type HttpServerOptions } from './http-server.ts';

export interface HttpOptions extends HttpServerOptions {
  /** Port to listen on; 0 takes a free one. */
  readonly port: number;
  readonly host: string;
  readonly routes: readonly FastifyPluginAsync[];
  readonly health: Health;
}

/** A listening server. */
export interface RunningHttp {
  /** Where it answers, e.g. `http://127.0.0.1:8080`. */
  readonly url: string;
  /** Answers what is under way, then closes. Idempotent. */
  close(): Promise<void>;
}

/** Creates a server with `routes` and health, and listens. Throws a sentence that names the port when it is taken. */
export async function startHttp(options: HttpOptions): Promise<RunningHttp> {
  const server = await createHttpServer(options);
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
  return { url: `http://${host}:${port}`, close: () => server.close() };
}
