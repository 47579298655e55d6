import { once } from 'node:events';
import { connect } from 'node:net';

/**
 * Publishes as a program that shares no code with us: the NATS protocol by hand. Resolves with the PubAck; a refusal
 * is thrown.
 */
export async function rawPublish(
  port: number,
  subject: string,
  payload: string | Uint8Array,
  headers: Record<string, string>,
): Promise<void> {
  const socket = connect(port, '127.0.0.1');
  try {
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
    const head = Buffer.from(`NATS/1.0\r\n${lines.join('')}\r\n`);
    const body = Buffer.concat([head, Buffer.from(payload as Uint8Array)]);
    socket.write('CONNECT {"verbose":false,"headers":true,"lang":"raw","version":"1"}\r\nSUB ack 1\r\n');
    socket.write(`HPUB ${subject} ack ${head.length} ${body.length}\r\n`);
    socket.write(body);
    socket.write('\r\n');
    const ack = await answer(socket);
    if (ack.includes('"error"')) throw new Error(ack);
  } finally {
    socket.destroy();
  }
}

async function answer(socket: ReturnType<typeof connect>): Promise<string> {
  let seen = '';
  for (;;) {
    const [data] = (await once(socket, 'data')) as [Buffer];
    seen += data.toString();
    const ack = /\r\nMSG ack 1 \d+\r\n(.*)\r\n/.exec(seen) ?? /HMSG ack[\s\S]*503/.exec(seen);
    if (ack) return ack[1] ?? '"error": no stream';
    if (seen.includes('-ERR')) throw new Error(seen);
  }
}
