import { connect } from 'node:net';

/** What a nats-server says of itself to everyone who connects. */
export interface NatsInfo {
  readonly server_name: string;
  readonly version: string;
  readonly jetstream?: boolean;
}

/** The INFO line of whoever listens there, or undefined when nobody does or it is no nats-server. Waits at most 2 s. */
export function natsInfo(port: number, host = '127.0.0.1'): Promise<NatsInfo | undefined> {
  return new Promise((done) => {
    let text = '';
    const socket = connect({ port, host });
    const finish = (info?: NatsInfo) => {
      socket.destroy();
      done(info);
    };
    socket.setTimeout(2000, () => finish());
    socket.setEncoding('utf8').on('error', () => finish());
    socket.on('close', () => finish());
    socket.on('data', (chunk) => {
      text += String(chunk);
      if (text.includes('\r\n') || text.length > 65_536) finish(parse(text));
    });
  });
}

function parse(text: string): NatsInfo | undefined {
  const found = /^INFO (\{.*\})\s*\r\n/.exec(text);
  try {
    return found?.[1] === undefined ? undefined : (JSON.parse(found[1]) as NatsInfo);
  } catch {
    return undefined;
  }
}
