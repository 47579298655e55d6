import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

/** `upstream`: from the client to the server; `downstream`: back. */
type Direction = 'upstream' | 'downstream';

/** What a proxy does to its connections, named as in Shopify/toxiproxy. Without `stream` it does so to both directions. */
export type Toxic =
  /** Holds everything back, the ends of connections too, without a word: a partition. Flows on when it is taken away. */
  | { readonly type: 'timeout'; readonly stream?: Direction }
  /** Resets connections now and new ones at once (RST). */
  | { readonly type: 'reset_peer' }
  /** Delays by milliseconds, in order. */
  | { readonly type: 'latency'; readonly latency: number; readonly stream?: Direction }
  /** Closes a connection once so many bytes have passed, counted from now on. */
  | { readonly type: 'limit_data'; readonly bytes: number; readonly stream?: Direction };

/** A TCP proxy of one server; `close` ends all its connections. */
export interface TcpProxy {
  readonly port: number;
  /** Open connections of clients. */
  connections(): number;
  /** Changes what happens to all connections, open and new ones; nothing: lets everything pass. */
  poison(toxic?: Toxic): void;
  close(): Promise<void>;
}

/**
 * Starts a proxy on a free port of 127.0.0.1 in front of `port` there. `onUpstream` sees what clients send, in pieces as
 * they come.
 */
export async function startTcpProxy(
  port: number,
  options: { readonly onUpstream?: (bytes: Buffer) => void } = {},
): Promise<TcpProxy> {
  const links = new Set<Link>();
  let toxic: Toxic | undefined;
  const server = createServer({ allowHalfOpen: true }, (client) => {
    const upstream = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    const link = new Link(client, upstream, () => links.delete(link));
    links.add(link);
    if (options.onUpstream) client.on('data', options.onUpstream);
    link.poison(toxic);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as { port: number }).port,
    connections: () => links.size,
    poison: (next) => {
      toxic = next;
      for (const link of links) link.poison(next);
    },
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      for (const link of links) link.end('close');
      await closed;
    },
  };
}

type FlowToxic = Exclude<Toxic, { type: 'reset_peer' }>;

/** One client's connection and ours to the server. */
class Link {
  readonly #sockets: readonly [Socket, Socket];
  readonly #flows: readonly [Flow, Flow];

  constructor(client: Socket, upstream: Socket, onEnd: () => void) {
    this.#sockets = [client, upstream];
    const end = (how: 'close' | 'reset') => this.end(how);
    this.#flows = [
      new Flow('upstream', client, upstream, end),
      new Flow('downstream', upstream, client, end),
    ];
    for (const socket of this.#sockets) {
      socket.setNoDelay(true);
      socket.on('close', () => this.#sockets.every(({ destroyed }) => destroyed) && onEnd());
    }
  }

  poison(toxic: Toxic | undefined): void {
    if (toxic?.type === 'reset_peer') this.end('reset');
    else for (const flow of this.#flows) flow.poison(toxic);
  }

  end(how: 'close' | 'reset'): void {
    for (const socket of this.#sockets) {
      if (how === 'reset' && !socket.connecting) socket.resetAndDestroy();
      else socket.destroy();
    }
  }
}

/** One direction of a connection. */
class Flow {
  readonly #direction: Direction;
  readonly #from: Socket;
  readonly #to: Socket;
  readonly #onEnd: (how: 'close' | 'reset') => void;
  readonly #held: (() => void)[] = [];
  #toxic: FlowToxic | undefined;
  #passed = 0;
  #lastDue = 0;

  constructor(direction: Direction, from: Socket, to: Socket, onEnd: (how: 'close' | 'reset') => void) {
    this.#direction = direction;
    this.#from = from;
    this.#to = to;
    this.#onEnd = onEnd;
    from.on('data', (bytes) => this.#take(bytes));
    from.on('end', () => this.#later(() => to.end()));
    from.on('error', () => this.#later(() => onEnd('reset')));
    to.on('drain', () => this.#resumeOrPause());
  }

  poison(toxic: FlowToxic | undefined): void {
    const here = toxic?.stream === undefined || toxic.stream === this.#direction;
    this.#toxic = here ? toxic : undefined;
    this.#passed = 0;
    if (this.#toxic?.type !== 'timeout') for (const step of this.#held.splice(0)) this.#later(step);
    this.#resumeOrPause();
  }

  #resumeOrPause(): void {
    if (this.#toxic?.type === 'timeout' || this.#to.writableNeedDrain) this.#from.pause();
    else this.#from.resume();
  }

  #take(bytes: Buffer): void {
    this.#later(() => {
      const left = this.#toxic?.type === 'limit_data' ? this.#toxic.bytes - this.#passed : bytes.length;
      this.#passed += bytes.length;
      if (!this.#to.destroyed) this.#to.write(bytes.subarray(0, left));
      this.#resumeOrPause();
      if (left < bytes.length) this.#to.end(() => this.#onEnd('close'));
    });
  }

  /** Runs `step` at once, after the latency, or when things are no longer held back; never before an earlier one. */
  #later(step: () => void): void {
    if (this.#toxic?.type === 'timeout') {
      this.#held.push(step);
      return;
    }
    const delay = this.#toxic?.type === 'latency' ? this.#toxic.latency : 0;
    const now = performance.now();
    this.#lastDue = Math.max(now + delay, this.#lastDue);
    if (this.#lastDue <= now) step();
    else setTimeout(step, this.#lastDue - now);
  }
}
