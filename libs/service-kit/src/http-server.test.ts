import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { eventually, tempFolder } from '@earshot/testkit';
import Type from 'typebox';
import { afterEach, expect, it } from 'vitest';
import { registerHealth } from './health.ts';
import { createHttpServer, type HttpServer, requireScope } from './http-server.ts';
import { createLogger } from './logger.ts';
import { type Authenticate, isLoopback, keyedDoor, openDoor } from './principal.ts';

class Coded extends Error {
  readonly code: string;
  readonly errors: string[] | undefined;
  constructor(code: string, detail: string, errors?: string[]) {
    super(detail);
    this.code = code;
    this.errors = errors;
  }
}
const STATUS: Record<string, number> = {
  invalid_request: 400,
  unauthorized: 401,
  forbidden: 403,
  not_found: 404,
  unavailable: 503,
};

const opened: HttpServer[] = [];
const lines: string[] = [];
async function server(authenticate: Authenticate = openDoor('default')) {
  const made = await createHttpServer({
    title: 'test',
    version: '0',
    tags: ['first', 'unused', 'last'].map((name, at) => ({ name, description: String(at + 1) })),
    logger: createLogger({ service: 'test', stream: { write: (line) => void lines.push(line) } }),
    authenticate,
    describeError: (error) => {
      const { code, message, errors } = error as Coded;
      return STATUS[code]
        ? { status: STATUS[code], code, detail: message, errors }
        : { status: 500, code: 'internal' };
    },
    codedError: (code, detail, errors) => new Coded(code, detail, errors),
  });
  opened.push(made);
  return made;
}
afterEach(async () => {
  await Promise.all(opened.splice(0).map((made) => made.close()));
  lines.length = 0;
});

it('answers a request that does not fit its schema with all fields in one problem document', async () => {
  const app = await server();
  const querystring = Type.Object({ limit: Type.Integer({ maximum: 200 }), id: Type.String() });
  app.get('/v1/things', { schema: { querystring } }, () => ({}));
  const response = await app.inject('/v1/things?limit=900');
  expect(response.statusCode).toBe(400);
  expect(response.headers['content-type']).toContain('application/problem+json');
  expect(response.json().errors).toHaveLength(2);
});

it('hides what went wrong inside, and logs it with the request id', async () => {
  const app = await server();
  app.get('/v1/broken', () => {
    throw new Error('the password is hunter2');
  });
  const response = await app.inject({ url: '/v1/broken', headers: { 'x-request-id': 'req-1' } });
  expect(response.statusCode).toBe(500);
  expect(response.body).not.toContain('hunter2');
  expect(response.headers['x-request-id']).toBe('req-1');
  expect(lines.join()).toContain('req-1');
});

it('tells a caller to come back when a dependency is away', async () => {
  const app = await server();
  app.get('/v1/away', () => {
    throw new Coded('unavailable', 'the database does not answer');
  });
  const response = await app.inject('/v1/away');
  expect(response.statusCode).toBe(503);
  expect(response.headers['retry-after']).toBe('2');
});

it('answers an unknown path and malformed JSON with coded problems', async () => {
  const app = await server();
  app.post('/v1/things', () => ({}));
  expect((await app.inject('/v1/none')).json().code).toBe('not_found');
  const headers = { 'content-type': 'application/json' };
  const malformed = await app.inject({ method: 'POST', url: '/v1/things', headers, payload: '{' });
  expect(malformed.json().code).toBe('invalid_request');
});

it('asks API routes for a key, looks it up by hash and checks its scope; health asks for none', async () => {
  const folder = await tempFolder();
  const file = join(folder.path, 'keys.json');
  const sha256 = createHash('sha256').update('es_key').digest('hex');
  await writeFile(file, JSON.stringify({ keys: [{ tenant: 'acme', scopes: ['read'], sha256 }] }));
  const app = await server(keyedDoor(file, () => undefined));
  const refuse = (detail: string) => new Coded('forbidden', detail);
  app.get('/v1/me', { preHandler: requireScope('read', refuse) }, (request) => request.principal);
  app.get('/v1/write', { preHandler: requireScope('write', refuse) }, () => ({}));
  app.get('/livez', () => ({}));
  const ask = (url: string, key?: string) =>
    app.inject({ url, headers: key ? { authorization: `Bearer ${key}` } : {} });
  expect((await ask('/v1/me')).statusCode).toBe(401);
  expect((await ask('/v1/me', 'es_other')).statusCode).toBe(401);
  expect((await ask('/v1/me', 'es_key')).json()).toEqual({ tenant: 'acme', scopes: ['read'] });
  expect((await ask('/v1/write', 'es_key')).statusCode).toBe(403);
  expect((await ask('/livez')).statusCode).toBe(200);
  await writeFile(file, JSON.stringify({ keys: [{ tenant: 'Not A Name', scopes: [], sha256 }] }));
  expect(() => keyedDoor(file, () => undefined)).toThrow('EARSHOT_API_KEYS_FILE must hold');
  await folder.remove();
});

it('asks for a key however an address spells the route', async () => {
  const app = await server(() => undefined);
  app.get('/v1/me', () => ({ reached: true }));
  for (const url of ['/v1/me', '/%761/me', '/%76%31/%6d%65', '/v1/none'])
    expect((await app.inject(url)).statusCode).toBe(401);
});

it('leaves a route with a door of its own to that door, and no other route', async () => {
  const app = await server(() => undefined);
  const seen: unknown[] = [];
  const onRequest = async (request: {
    headers: { authorization?: string | undefined };
    principal?: unknown;
  }) => {
    seen.push(request.principal);
    if (request.headers.authorization !== 'Bearer theirs') throw new Coded('forbidden', 'not for you');
  };
  app.post('/v1/events/push', { config: { ownDoor: true }, onRequest }, () => ({ reached: true }));
  app.post('/v1/events', () => ({ reached: true }));
  const statusOf = async (url: string, authorization?: string) =>
    (await app.inject({ method: 'POST', url, headers: authorization ? { authorization } : {} })).statusCode;
  expect(await statusOf('/v1/events/push')).toBe(403);
  expect(await statusOf('/v1/events/push', 'Bearer theirs')).toBe(200);
  expect(seen).toEqual([undefined, undefined]);
  for (const url of [
    '/v1/events',
    '/v1/events/push/',
    '/v1/events/push/../x',
    '/v1/events/pushed',
    '/v1/events%2fpush',
  ])
    expect([url, await statusOf(url, 'Bearer theirs')]).toEqual([url, 401]);
  expect((await app.inject('/v1/events/push')).statusCode).toBe(401);
});

it('knows which listeners only this machine reaches', () => {
  expect(['127.0.0.1', '127.9.9.9', '::1', 'localhost'].every(isLoopback)).toBe(true);
  expect(['0.0.0.0', '::', '10.0.0.1', '127.0.0.1.example.com'].some(isLoopback)).toBe(false);
});

it('keeps readiness apart from the health of dependencies', async () => {
  const app = await server();
  let state: 'ready' | 'draining' = 'ready';
  const away = () => Promise.reject(new Error('away'));
  registerHealth(app, {
    state: () => state,
    checks: { nats: away, storage: async () => {} },
    roundTrip: away,
    workers: async () => [{ id: 'w' }],
  });
  const ready = await app.inject('/readyz');
  expect(ready.statusCode).toBe(200);
  expect(ready.json().checks).toMatchObject({ nats: { ok: false, error: 'away' }, storage: { ok: true } });
  state = 'draining';
  expect((await app.inject('/readyz')).statusCode).toBe(503);
  expect((await app.inject('/livez')).statusCode).toBe(200);
  const health = await app.inject('/health');
  expect(health.statusCode).toBe(503);
  expect(health.json()).toMatchObject({ status: 'unhealthy', error: 'away' });
  expect(health.json()).not.toHaveProperty('workers');
  expect((await app.inject('/health?workers=1')).json().workers).toEqual([{ id: 'w' }]);
});

it('makes one round trip for all who ask for health at the same time', async () => {
  const app = await server();
  let trips = 0;
  let end = () => {};
  const roundTrip = () => {
    trips += 1;
    return new Promise<void>((resolve) => {
      end = resolve;
    });
  };
  registerHealth(app, { state: () => 'ready', checks: {}, roundTrip, workers: async () => [] });
  const answers = [1, 2, 3].map(() => app.inject('/health').then(({ statusCode }) => statusCode));
  await eventually('the trip', () => trips === 1);
  await app.inject('/livez');
  end();
  expect(await Promise.all(answers)).toEqual([200, 200, 200]);
  expect(trips).toBe(1);
  const later = app.inject('/health');
  await eventually('another trip', () => trips === 2);
  end();
  expect((await later).statusCode).toBe(200);
});

it('writes the API down as OpenAPI', async () => {
  const app = await server();
  app.get('/v1/things', { schema: { querystring: Type.Object({ limit: Type.Integer() }) } }, () => ({}));
  const document = (await app.inject('/openapi.json')).json();
  expect(document.openapi).toBe('3.1.0');
  expect(Object.keys(document.paths)).toEqual(['/v1/things']);
  expect(document.components.securitySchemes.key).toEqual({ type: 'http', scheme: 'bearer' });
});

it('names the groups of the API that have routes, in the order told', async () => {
  const app = await server();
  for (const tag of ['last', 'first']) app.get(`/v1/${tag}`, { schema: { tags: [tag] } }, () => ({}));
  const document = (await app.inject('/openapi.json')).json();
  expect(document.tags).toEqual([
    { name: 'first', description: '1' },
    { name: 'last', description: '3' },
  ]);
});
