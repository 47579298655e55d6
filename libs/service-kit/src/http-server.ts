import fastifySwagger from '@fastify/swagger';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import Fastify, {
  type FastifyBaseLogger,
  type FastifyError,
  type FastifyRequest,
  LogController,
} from 'fastify';
import type { Logger } from './logger.ts';
import type { Authenticate, Principal, Scope } from './principal.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Who is asking; set before any handler of an API route runs. */
    principal: Principal;
  }
  interface FastifyContextConfig {
    /** The route itself checks who is asking: no API key is asked for, and `principal` is not set. */
    ownDoor?: boolean;
  }
}

/** An RFC 9457 problem document with at least its status. */
interface ProblemDocument {
  readonly status: number;
}

/** A group of routes. */
export interface ApiTag {
  readonly name: string;
  readonly description: string;
}

export interface HttpServerOptions {
  readonly title: string;
  readonly version: string;
  /** The groups of `/openapi.json` in their order; those without a route are left out. */
  readonly tags?: readonly ApiTag[];
  readonly logger: Logger;
  readonly authenticate: Authenticate;
  /** Turns any error into the document that is answered. */
  readonly describeError: (error: unknown) => ProblemDocument;
  /** Makes an error with one of the codes `invalid_request`, `not_found`, `unauthorized`, … of the caller's table. */
  readonly codedError: (code: HttpErrorCode, detail: string, errors?: string[]) => Error;
  /** Largest JSON body in bytes; recordings are streamed and have limits of their own. */
  readonly bodyLimitBytes?: number;
}

/** The codes this server itself answers with. */
export type HttpErrorCode =
  | 'invalid_request'
  | 'not_found'
  | 'unauthorized'
  | 'forbidden'
  | 'unsupported_media_type'
  | 'too_large';

const CODE_OF_STATUS: Readonly<Record<number, HttpErrorCode>> = {
  400: 'invalid_request',
  404: 'not_found',
  413: 'too_large',
  415: 'unsupported_media_type',
};

/** Where the open routes live: health, metrics and the API's own description ask for no key. */
const isApiRoute = (url: string) => url.startsWith('/v1/');

function asCoded(error: FastifyError, options: HttpServerOptions): unknown {
  if (error.validation) {
    const fields = error.validation.map(
      (item) => `${item.instancePath || '/'} ${item.message ?? 'is not valid'}`,
    );
    return options.codedError('invalid_request', 'the request does not match its schema', fields);
  }
  const code =
    error.code?.startsWith('FST_') || error.statusCode === 413
      ? CODE_OF_STATUS[error.statusCode ?? 0]
      : undefined;
  return code ? options.codedError(code, error.message) : error;
}

/**
 * An HTTP server with typed routes, problem documents for every error, `/openapi.json`, and `request.principal` on
 * `/v1` routes. Not listening yet; whoever calls it closes it.
 */
export async function createHttpServer(options: HttpServerOptions) {
  const server = Fastify({
    loggerInstance: options.logger as FastifyBaseLogger,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: options.bodyLimitBytes ?? 1_048_576,
    requestIdHeader: 'x-request-id',
    genReqId: () => crypto.randomUUID(),
    forceCloseConnections: 'idle',
    ajv: { customOptions: { allErrors: true, removeAdditional: false } },
  }).withTypeProvider<TypeBoxTypeProvider>();
  const used = new Set<string>();
  server.addHook('onRoute', ({ schema }) => {
    for (const tag of schema?.tags ?? []) used.add(tag);
  });
  await server.register(fastifySwagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: options.title, version: options.version },
      components: {
        securitySchemes: {
          key: { type: 'http', scheme: 'bearer' },
          token: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' },
        },
      },
      // The empty one: a listener on loopback asks for no key.
      security: [{ key: [] }, {}],
    },
  });
  server.decorateRequest('principal');
  server.addHook('onRequest', async (request, reply) => {
    reply.header('x-request-id', request.id);
    // By the route that was found: an address may spell it in other letters (%76 for v).
    if (!isApiRoute(request.routeOptions.url ?? request.url)) return;
    if (request.routeOptions.config.ownDoor) return;
    const principal = options.authenticate(request.headers.authorization);
    if (!principal) throw options.codedError('unauthorized', 'no valid API key was sent');
    request.principal = principal;
  });
  server.setErrorHandler((error: FastifyError, request, reply) => {
    const problem = options.describeError(asCoded(error, options));
    if (problem.status >= 500) request.log.error({ err: error, request_id: request.id }, 'request failed');
    if (problem.status === 503) reply.header('retry-after', '2');
    return reply
      .code(problem.status)
      .type('application/problem+json')
      .send({ ...problem, instance: request.id });
  });
  server.setNotFoundHandler((request) => {
    throw options.codedError('not_found', `there is no ${request.method} ${request.url.split('?')[0]}`);
  });
  server.get('/openapi.json', { schema: { hide: true } }, () => ({
    ...server.swagger(),
    tags: (options.tags ?? []).filter(({ name }) => used.has(name)),
  }));
  return server;
}

/** The server type that route plugins get. */
export type HttpServer = Awaited<ReturnType<typeof createHttpServer>>;

/** A pre-handler that lets only keys with `scope` pass; `admin` passes everywhere. */
export function requireScope(scope: Scope, refuse: (detail: string) => Error) {
  return async (request: FastifyRequest) => {
    const { scopes } = request.principal;
    if (!scopes.includes(scope) && !scopes.includes('admin')) throw refuse(`this needs the scope ${scope}`);
  };
}
