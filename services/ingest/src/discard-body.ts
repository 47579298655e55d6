import type { IncomingMessage } from 'node:http';

const MAX_BYTES = 64 * 1024 * 1024;
const MAX_MS = 30_000;

/**
 * Reads and forgets what a client still sends after its request was refused: many read the answer only when they are
 * done. A client that goes on for 64 MB or 30 s is cut off.
 */
export function discardBody(request: IncomingMessage): void {
  if (request.readableEnded || request.destroyed) return;
  const cutOff = () => request.destroy();
  const timer = setTimeout(cutOff, MAX_MS).unref();
  let left = MAX_BYTES;
  request.on('data', (chunk: Buffer) => {
    left -= chunk.length;
    if (left < 0) cutOff();
  });
  request.once('close', () => clearTimeout(timer));
  request.on('error', () => undefined);
  request.resume();
}
