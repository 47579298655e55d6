import type { Msg } from 'nats';

/** One message as a consumer handed it to us. */
export interface Delivery {
  readonly subject: string;
  readonly bytes: Uint8Array;
  /** Names in lower case, the first value of each. */
  readonly headers: Readonly<Record<string, string>>;
  /** Where acknowledgements go. */
  readonly reply: string;
  readonly durable: string;
  /** 1 for the first delivery of this message to this consumer. */
  readonly count: number;
  /** Sequence in the stream. */
  readonly seq: number;
  /** When the stream stored it. */
  readonly time: Date;
  /** Monotonic time at which the pull that brought it was sent: its lease cannot have begun before. */
  readonly pulledAt: number;
}

/**
 * Reads a pulled message; undefined for a status line of the server. The words of the reply subject are
 * `$JS.ACK.[domain.account.]stream.durable.count.seq.consumer_seq.nanoseconds.pending[.random]`.
 */
export function parseDelivery(message: Msg, pulledAt: number): Delivery | undefined {
  const reply = message.reply;
  if (!reply?.startsWith('$JS.ACK.')) return undefined;
  const words = reply.split('.');
  const at = words.length === 9 ? 2 : 4;
  return {
    subject: message.subject,
    bytes: message.data,
    headers: plainHeaders(message),
    reply,
    durable: words[at + 1] ?? '',
    count: Number(words[at + 2]),
    seq: Number(words[at + 3]),
    time: new Date(Number(BigInt(words[at + 5] ?? 0) / 1_000_000n)),
    pulledAt,
  };
}

function plainHeaders(message: Msg): Record<string, string> {
  const result: Record<string, string> = {};
  for (const [name, values] of message.headers ?? []) result[name.toLowerCase()] ??= values[0] ?? '';
  return result;
}
