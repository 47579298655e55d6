import type { FastifyInstance } from 'fastify';

/** What a service tells about itself. */
export interface Health {
  /** `starting` and `draining` answer 503 at `/readyz`; trouble of a dependency does not. */
  readonly state: () => 'starting' | 'ready' | 'draining';
  /** Each dependency; rejects when it is in trouble. */
  readonly checks: Readonly<Record<string, () => Promise<void>>>;
  /** The service's own round trip through the broker. */
  readonly roundTrip: () => Promise<void>;
  /** What `/health?workers=1` shows: those that answered a round trip just now. */
  readonly workers: () => Promise<readonly object[]>;
}

const CHECK_LIMIT_MS = 2_000;
const ROUND_TRIP_LIMIT_MS = 10_000;

async function timed(check: () => Promise<void>, limitMs: number) {
  const start = performance.now();
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${limitMs} ms`)), limitMs);
  });
  try {
    await Promise.race([check(), limit]);
    return { ok: true, latency_ms: Math.round(performance.now() - start) };
  } catch (error) {
    return { ok: false, latency_ms: Math.round(performance.now() - start), error: (error as Error).message };
  } finally {
    clearTimeout(timer);
  }
}

/** Requests that come while one is under way share it: these routes ask for no key, and a round trip writes to disks. */
function shared<T>(ask: () => Promise<T>): () => Promise<T> {
  let asked: Promise<T> | undefined;
  return () => {
    asked ??= ask().finally(() => {
      asked = undefined;
    });
    return asked;
  };
}

/**
 * Adds `/livez` (nothing outside), `/readyz` (dependencies in the body) and `/health` (round trip, 10 s limit;
 * `?workers=1` lists the workers).
 */
export function registerHealth(server: FastifyInstance, health: Health): void {
  const hidden = { schema: { hide: true } };
  const [roundTrip, listWorkers] = [shared(health.roundTrip), shared(health.workers)];
  server.get('/livez', hidden, () => ({ status: 'ok' }));
  server.get('/readyz', hidden, async (_request, reply) => {
    const state = health.state();
    const names = Object.keys(health.checks);
    const results = await Promise.all(
      Object.values(health.checks).map((check) => timed(check, CHECK_LIMIT_MS)),
    );
    const checks = Object.fromEntries(names.map((name, index) => [name, results[index]]));
    return reply.code(state === 'ready' ? 200 : 503).send({ status: state, checks });
  });
  server.get<{ Querystring: { workers?: string } }>('/health', hidden, async (request, reply) => {
    const asked = request.query.workers === '1';
    const [result, workers] = await Promise.all([
      timed(roundTrip, ROUND_TRIP_LIMIT_MS),
      // Workers that are dead or cannot be asked take no door down.
      asked ? listWorkers().catch(() => []) : undefined,
    ]);
    const status = result.ok ? 'healthy' : 'unhealthy';
    const timestamp = new Date().toISOString();
    return reply.code(result.ok ? 200 : 503).send({ status, timestamp, ...result, workers });
  });
}
