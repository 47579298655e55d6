import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { eventually } from './eventually.ts';
import { startTcpProxy, type TcpProxy } from './tcp-proxy.ts';

let server: Server;
let proxy: TcpProxy;
let heard: string;
const sockets = new Set<Socket>();
const clients: TestClient[] = [];

/** A client that keeps what it gets and how it ended. */
interface TestClient {
  readonly socket: Socket;
  received(): string;
  ended(): 'no' | 'closed' | 'reset';
}

beforeEach(async () => {
  heard = '';
  sockets.clear();
  server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('data', (bytes) => {
      heard += bytes;
      socket.write(`echo ${bytes}`);
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  proxy = await startTcpProxy((server.address() as { port: number }).port);
});

afterEach(async () => {
  for (const { socket } of clients.splice(0)) socket.destroy();
  await proxy.close();
  server.close();
});

async function client(): Promise<TestClient> {
  const socket = connect(proxy.port, '127.0.0.1');
  let received = '';
  let ended: 'no' | 'closed' | 'reset' = 'no';
  socket.on('data', (bytes) => {
    received += bytes;
  });
  socket.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'ECONNRESET') ended = 'reset';
  });
  socket.on('close', () => {
    if (ended === 'no') ended = 'closed';
  });
  await once(socket, 'connect');
  const made = { socket, received: () => received, ended: () => ended };
  clients.push(made);
  return made;
}

const receives = (from: TestClient, text: string) =>
  eventually(`the client to receive ${text}`, () => from.received() === text);

/** Nothing reaches the client while another one, past the proxy, is answered twenty times. */
async function staysSilent(quiet: TestClient): Promise<void> {
  const other = connect((server.address() as { port: number }).port, '127.0.0.1');
  for (let n = 0; n < 20; n += 1) {
    other.write('x');
    await once(other, 'data');
  }
  other.destroy();
  expect(quiet.ended()).toBe('no');
}

describe('a proxy', () => {
  it('lets many connections pass, each its own way', async () => {
    const three = await Promise.all([client(), client(), client()]);
    for (const [n, { socket }] of three.entries()) socket.write(`${n}`);
    await Promise.all(three.map((one, n) => receives(one, `echo ${n}`)));
    expect(proxy.connections()).toBe(3);
  });

  it('shows what clients send', async () => {
    let sent = '';
    const watched = await startTcpProxy((server.address() as { port: number }).port, {
      onUpstream: (bytes) => {
        sent += bytes;
      },
    });
    const socket = connect(watched.port, '127.0.0.1');
    socket.write('a word');
    await once(socket, 'data');
    expect(sent).toBe('a word');
    socket.destroy();
    await watched.close();
  });

  it('passes more than a socket holds', async () => {
    const one = await client();
    one.socket.end('x'.repeat(20_000_000));
    await eventually('all of it to arrive', () => heard.length === 20_000_000);
  });

  it('passes on the end of a connection', async () => {
    const one = await client();
    one.socket.end();
    await eventually('the end to come back', () => one.ended() === 'closed');
    await eventually('the proxy to let go', () => proxy.connections() === 0);
  });

  it('holds everything back without a word, and lets it flow on afterwards', async () => {
    const one = await client();
    proxy.poison({ type: 'timeout' });
    one.socket.write('held');
    await staysSilent(one);
    expect(heard).not.toContain('held');
    proxy.poison();
    await receives(one, 'echo held');
  });

  it('hides the end of the server while it holds back', async () => {
    const one = await client();
    one.socket.write('a');
    await receives(one, 'echo a');
    proxy.poison({ type: 'timeout' });
    for (const socket of sockets) socket.destroy();
    await staysSilent(one);
    proxy.poison();
    await eventually('the end to be told', () => one.ended() === 'closed');
  });

  it('accepts new connections while it holds back', async () => {
    proxy.poison({ type: 'timeout' });
    const late = await client();
    late.socket.write('late');
    await staysSilent(late);
    proxy.poison();
    await receives(late, 'echo late');
  });

  it('holds one direction only', async () => {
    const one = await client();
    proxy.poison({ type: 'timeout', stream: 'downstream' });
    one.socket.write('one way');
    await eventually('the server to hear it', () => heard === 'one way');
    await staysSilent(one);
    expect(one.received()).toBe('');
  });

  it('resets open connections, and new ones', async () => {
    const one = await client();
    one.socket.write('a');
    await receives(one, 'echo a');
    proxy.poison({ type: 'reset_peer' });
    await eventually('the reset', () => one.ended() === 'reset');
    const late = connect(proxy.port, '127.0.0.1');
    const [error] = (await once(late, 'error')) as [NodeJS.ErrnoException];
    expect(error.code).toBe('ECONNRESET');
  });

  it('delays in order', async () => {
    const one = await client();
    proxy.poison({ type: 'latency', latency: 100, stream: 'upstream' });
    const start = performance.now();
    for (const letter of 'abc') one.socket.write(letter);
    await eventually('all of it', () => heard === 'abc');
    expect(performance.now() - start).toBeGreaterThan(95);
  });

  it('cuts a connection after so many bytes', async () => {
    const one = await client();
    proxy.poison({ type: 'limit_data', bytes: 4, stream: 'downstream' });
    one.socket.write('cut');
    await eventually('the cut', () => one.ended() !== 'no');
    expect(one.received()).toBe('echo');
  });

  it('leaves no connection when it is closed', async () => {
    const one = await client();
    await proxy.close();
    await eventually('the end', () => one.ended() !== 'no');
    proxy = await startTcpProxy(1);
  });
});
