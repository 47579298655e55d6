import { createSocket } from 'node:dgram';
import { once } from 'node:events';

/** Answers for names as a container engine does, on a port of its own. */
export interface NameServer {
  readonly port: number;
  /** Changes where a name is, as when its container is replaced. */
  point(name: string, address: string): void;
  close(): void;
}

const HEADER_BYTES = 12;
/** Answer, recursion available; and with the code for a name that there is not. */
const FOUND = 0x8180;
const NO_SUCH_NAME = 0x8183;
/** A pointer to the name in the question, type A, class IN, for 600 s (as Docker says), four bytes. */
const RECORD = Buffer.from('c00c0001000100000258' + '0004', 'hex');

/** Starts a name server on loopback that knows `addresses` by their names, and answers for addresses of version 4 alone. */
export async function startNameServer(addresses: Readonly<Record<string, string>>): Promise<NameServer> {
  const known = new Map(Object.entries(addresses));
  const socket = createSocket('udp4');
  socket.on('message', (query, from) => socket.send(answerOf(query, known), from.port, from.address));
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return {
    port: socket.address().port,
    point: (name, address) => void known.set(name, address),
    close: () => socket.close(),
  };
}

function answerOf(query: Buffer, known: ReadonlyMap<string, string>): Buffer {
  const { name, end } = questionOf(query);
  const address = known.get(name);
  const answer = Buffer.from(query.subarray(0, end));
  answer.writeUInt16BE(address ? FOUND : NO_SUCH_NAME, 2);
  answer.writeUInt16BE(address ? 1 : 0, 6);
  answer.fill(0, 8, HEADER_BYTES);
  return address ? Buffer.concat([answer, RECORD, Buffer.from(address.split('.').map(Number))]) : answer;
}

/** The name asked for, and where its question ends. */
function questionOf(query: Buffer): { name: string; end: number } {
  const labels: string[] = [];
  let at = HEADER_BYTES;
  for (let length = query[at] ?? 0; length > 0; length = query[at] ?? 0) {
    labels.push(query.toString('latin1', at + 1, at + 1 + length));
    at += 1 + length;
  }
  return { name: labels.join('.'), end: at + 5 };
}
