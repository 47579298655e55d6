import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Takes OTLP by HTTP and counts what comes; closed by the caller. */
export async function startReceiver() {
  let requests = 0;
  let bytes = 0;
  const server = createServer((request, response) => {
    requests += 1;
    request.on('data', (data: Buffer) => {
      bytes += data.length;
    });
    request.on('end', () => response.setHeader('content-type', 'application/x-protobuf').end());
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests: () => requests,
    bytes: () => bytes,
    close: async () => {
      server.close();
      server.closeAllConnections();
    },
  };
}
