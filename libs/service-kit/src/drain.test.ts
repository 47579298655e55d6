import { afterEach, expect, it } from 'vitest';
import { drain } from './drain.ts';
import { createLogger } from './logger.ts';
import { openDoor } from './principal.ts';
import { type RunningHttp, startHttp } from './start-http.ts';

const opened: RunningHttp[] = [];
afterEach(() => Promise.all(opened.splice(0).map((http) => http.close(0))));

/** A listening service with a quick and a never-ending route. */
async function listen() {
  let state: 'ready' | 'draining' = 'ready';
  let arrived = () => {};
  const hanging = new Promise<void>((resolve) => {
    arrived = resolve;
  });
  const http = await startHttp({
    title: 'test',
    version: '0',
    logger: createLogger({ service: 'test', level: 'silent' }),
    authenticate: openDoor('default'),
    describeError: () => ({ status: 500 }),
    codedError: (_code, detail) => new Error(detail),
    port: 0,
    host: '127.0.0.1',
    routes: [
      async (server) => {
        server.get('/quick', () => 'answered');
        server.get('/hang', () => {
          arrived();
          return new Promise(() => {});
        });
      },
    ],
    health: { state: () => state, checks: {}, roundTrip: async () => {}, workers: async () => [] },
  });
  opened.push(http);
  const status = (path: string) => fetch(new URL(path, http.url)).then((response) => response.status);
  const begin = () => {
    state = 'draining';
  };
  return { http, status, begin, hanging };
}

it('answers requests while /readyz says 503, stops the work at once, and closes when the time has passed', async () => {
  const { http, status, begin } = await listen();
  let stopped = false;
  const stop = async () => {
    stopped = true;
  };
  begin();
  const draining = drain({ http, stop, drainMs: 3_000, graceMs: 20_000 });
  expect(stopped).toBe(true);
  expect(await status('/readyz')).toBe(503);
  expect(await status('/quick')).toBe(200);
  await draining;
  await expect(status('/quick')).rejects.toThrow();
});

it('answers until the work has ended, however short the drain', async () => {
  const { http, status } = await listen();
  let end = () => {};
  const stop = () => new Promise<void>((resolve) => (end = resolve));
  const draining = drain({ http, stop, drainMs: 0, graceMs: 20_000 });
  expect(await status('/quick')).toBe(200);
  end();
  await draining;
  await expect(status('/quick')).rejects.toThrow();
});

it('cuts off at the end of the grace what is still under way', async () => {
  const { http, status, hanging } = await listen();
  const request = status('/hang').catch((error: Error) => error.message);
  await hanging;
  await drain({ http, stop: async () => {}, drainMs: 60_000, graceMs: 200 });
  expect(await request).toMatch(/fetch failed/);
});
