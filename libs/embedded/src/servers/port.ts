import { createServer } from 'node:net';
import { EmbeddedError } from '../errors.ts';

/** Whether nobody listens on this port of this address now. */
export function isPortFree(port: number, host = '127.0.0.1'): Promise<boolean> {
  return listen(port, host).then(
    () => true,
    () => false,
  );
}

/**
 * The port to use: the wanted one (PORT_IN_USE when taken), else the one used last time when free, else any free one.
 */
export async function choosePort(
  wanted: number,
  previous: number | undefined,
  host: string,
): Promise<number> {
  if (wanted !== 0) {
    if (await isPortFree(wanted, host)) return wanted;
    throw new EmbeddedError('PORT_IN_USE', `Port ${wanted} of ${host} is taken by another program.`);
  }
  if (previous !== undefined && previous !== 0 && (await isPortFree(previous, host))) return previous;
  return listen(0, host);
}

function listen(port: number, host: string): Promise<number> {
  return new Promise((done, fail) => {
    const server = createServer().on('error', fail);
    server.listen(port, host, () => {
      const address = server.address();
      server.close(() => done(typeof address === 'object' && address !== null ? address.port : port));
    });
  });
}
