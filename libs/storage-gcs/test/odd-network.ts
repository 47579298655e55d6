import { once } from 'node:events';
import { createServer, type IncomingMessage, request as send } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What becomes of one exchange: its answer goes through, is lost after the store did its work, or is another one. */
export type Fate =
  | 'pass'
  | 'lose_answer'
  | { readonly status: number }
  | { readonly flipByteOf: 'request' | 'answer' };

/** A way to the store on which things happen. */
export interface OddNetwork {
  readonly url: string;
  /** Decides on every exchange; default: all pass. */
  fate: (request: IncomingMessage) => Fate;
  /** Methods and paths that went through or were stopped, in order. */
  readonly log: string[];
  close(): Promise<void>;
}

/** A proxy before `target`. */
export async function openOddNetwork(target: string): Promise<OddNetwork> {
  const log: string[] = [];
  const server = createServer(async (request, response) => {
    log.push(`${request.method} ${request.url}`);
    const fate = network.fate(request);
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const body = Buffer.concat(parts);
    if (typeof fate === 'object' && 'status' in fate) return response.writeHead(fate.status).end('{}');
    if (fate !== 'pass' && fate !== 'lose_answer' && fate.flipByteOf === 'request') flip(body);
    const onward = send(new URL(request.url ?? '/', target), {
      method: request.method,
      headers: request.headers,
    });
    onward.end(body);
    const [answer] = (await once(onward, 'response')) as [IncomingMessage];
    const came: Buffer[] = [];
    for await (const part of answer) came.push(part as Buffer);
    if (fate === 'lose_answer') return request.socket.destroy();
    const bytes = Buffer.concat(came);
    if (fate !== 'pass') flip(bytes);
    return response.writeHead(answer.statusCode ?? 500, answer.headers).end(bytes);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const network: OddNetwork = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    fate: () => 'pass',
    log,
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
  return network;
}

/** The middle of what is sent; that of a multipart body lies in the object's bytes when these are long. */
function flip(bytes: Buffer): void {
  const at = Math.floor(bytes.length / 2);
  bytes[at] = (bytes[at] ?? 0) ^ 1;
}
