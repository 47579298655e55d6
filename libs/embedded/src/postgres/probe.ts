import { connect } from 'node:net';

const PROTOCOL = 3 << 16;
const CANNOT_CONNECT_NOW = '57P03';
const TOO_MANY_CONNECTIONS = '53300';

/**
 * Asks a PostgreSQL for a connection as far as the question for the password: 'ready', 'starting' (57P03),
 * 'refused' with its reason, or undefined when nobody (or something else) answers within 2 s.
 */
export function probePostgres(
  port: number,
  user: string,
  database: string,
): Promise<'ready' | 'starting' | { refused: string } | undefined> {
  return new Promise((done) => {
    const socket = connect({ port, host: '127.0.0.1' });
    const chunks: Buffer[] = [];
    const finish = (answer: Awaited<ReturnType<typeof probePostgres>>) => {
      socket.destroy();
      done(answer);
    };
    socket.setTimeout(2000, () => finish(undefined));
    socket.on('error', () => finish(undefined));
    socket.on('connect', () => socket.write(startupMessage(user, database)));
    socket.on('data', (chunk) => {
      chunks.push(chunk);
      if (chunks[0]?.[0] === 0x52) finish('ready');
    });
    socket.on('close', () => finish(reasonOf(Buffer.concat(chunks))));
  });
}

function startupMessage(user: string, database: string): Buffer {
  const pairs = Buffer.from(`user\0${user}\0database\0${database}\0\0`);
  const head = Buffer.alloc(8);
  head.writeInt32BE(head.length + pairs.length, 0);
  head.writeInt32BE(PROTOCOL, 4);
  return Buffer.concat([head, pairs]);
}

/** An ErrorResponse is 'E', a length, then fields of one letter and a text each; C is the code, M the message. */
function reasonOf(answer: Buffer): 'ready' | 'starting' | { refused: string } | undefined {
  if (answer[0] !== 0x45) return undefined;
  const fields = answer.toString('utf8', 5).split('\0');
  if (fields.includes(`C${CANNOT_CONNECT_NOW}`)) return 'starting';
  // Busy, but up: a server that others use must not be taken for a broken one.
  if (fields.includes(`C${TOO_MANY_CONNECTIONS}`)) return 'ready';
  return { refused: fields.find((field) => field.startsWith('M'))?.slice(1) ?? 'unknown reason' };
}
