// A paid speech vendor as a process of its own: server.ts <log file>. Prints one line with the addresses of its API and of
// its control: GET /stats, PUT /behaviour with a part of `Behaviour`.
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import type { Behaviour } from './behaviour.ts';
import { type CallBody, FakeCloud, readJson, send } from './cloud.ts';

const [logFile = ''] = process.argv.slice(2);
const cloud = new FakeCloud(logFile);
const api = createServer(
  (request, response) => void serve(request, response).catch(() => response.destroy()),
);
const control = createServer((request, response) => void serveControl(request, response));
// A kept connection that is closed just when the next request comes would fail a test on a slow machine.
control.keepAliveTimeout = 0;
const port = await listen(api, 0);
const urls = { url: address(port), control_url: address(await listen(control, 0)) };
process.stdout.write(`${JSON.stringify(urls)}\n`);
process.on('disconnect', () => process.exit(0));

async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://cloud');
  const [, root, name = '', action] = url.pathname.split('/');
  const route = `${request.method} /${root}${action ? `/${action}` : ''}`;
  if (route === 'POST /calls') return cloud.call(await readJson<CallBody>(request), response);
  if (route === 'POST /transcribe') return cloud.transcribe('transcribe', await readJson(request), response);
  if (route === 'POST /free') return cloud.transcribe('free', await readJson(request), response);
  if (route === 'POST /operations/cancel') return cloud.cancel(name, response);
  if (route !== 'GET /operations') return send(response, 404, { message: 'there is nothing here' });
  if (name) return cloud.poll(name, response);
  cloud.find(url.searchParams.get('output_uri') ?? '', response);
}

async function serveControl(request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (request.method === 'PUT') {
    const change = await readJson<Partial<Behaviour>>(request);
    cloud.behave(change);
    if (change.down !== undefined) await setDown(change.down);
  }
  send(response, 200, cloud.stats());
}

async function setDown(down: boolean): Promise<void> {
  if (down === !api.listening) return;
  if (!down) return listenAgain();
  api.close();
  api.closeAllConnections();
}

/** While nobody listened, the system may have lent the port to somebody else's connection. */
async function listenAgain(): Promise<void> {
  while (!api.listening) {
    await listen(api, port).catch(() => pause(50));
  }
}

async function listen(server: Server, wanted: number): Promise<number> {
  server.listen(wanted, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

function address(of: number): string {
  return `http://127.0.0.1:${of}`;
}
