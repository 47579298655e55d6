import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

const HEAD = '--b\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\n';
const TAIL = '\r\n--b--\r\n';

/** An upload of a recording by hand, over a socket: sent in pieces, with its answer read whenever it comes. */
export class RawUpload {
  /** The answer, as far as it came. */
  answer = '';
  readonly #socket: Socket;
  readonly #chunked: boolean;

  private constructor(socket: Socket, chunked: boolean) {
    this.#socket = socket;
    this.#chunked = chunked;
    socket.setEncoding('latin1').on('data', (text: string) => {
      this.answer += text;
    });
    // A peer that has answered may close while more is being sent.
    socket.on('error', () => undefined);
  }

  /** Sends the headers. Without `bytes`, the length of the recording, it goes in chunks of unknown number. */
  static async open(url: string, apiKey: string, bytes?: number): Promise<RawUpload> {
    const { hostname, port } = new URL(url);
    const socket = connect(Number(port), hostname);
    await once(socket, 'connect');
    const upload = new RawUpload(socket, bytes === undefined);
    const length =
      bytes === undefined
        ? 'transfer-encoding: chunked'
        : `content-length: ${HEAD.length + bytes + TAIL.length}`;
    socket.write(
      `POST /v1/recordings HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${apiKey}\r\n` +
        `content-type: multipart/form-data; boundary=b\r\n${length}\r\n\r\n`,
    );
    await upload.send(Buffer.from(HEAD));
    return upload;
  }

  /** Resolves once the other side takes more; at once when it has answered or is gone. */
  async send(bytes: Buffer): Promise<void> {
    if (this.answer || this.#socket.destroyed) return;
    const framed = this.#chunked
      ? Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from('\r\n')])
      : bytes;
    if (this.#socket.write(framed)) return;
    const stop = new AbortController();
    const { signal } = stop;
    const heard = ['drain', 'data', 'close'].map((event) => once(this.#socket, event, { signal }));
    await Promise.race(heard.map((one) => one.catch(() => undefined)));
    stop.abort();
  }

  async end(): Promise<void> {
    await this.send(Buffer.from(TAIL));
    if (this.#chunked) this.#socket.write('0\r\n\r\n');
  }

  close(): void {
    this.#socket.destroy();
  }
}

/** The first `bytes` of a silent WAV file of any length. */
export function silentWav(bytes: number): Buffer {
  const wav = Buffer.alloc(bytes);
  wav.write('RIFF\xff\xff\xff\x7fWAVEfmt ', 'latin1');
  wav.writeUInt32LE(16, 16);
  wav.writeUInt16LE(1, 20);
  wav.writeUInt16LE(1, 22);
  wav.writeUInt32LE(16_000, 24);
  wav.writeUInt32LE(32_000, 28);
  wav.writeUInt16LE(2, 32);
  wav.writeUInt16LE(16, 34);
  wav.write('data\xff\xff\xff\x7f', 36, 'latin1');
  return wav;
}
