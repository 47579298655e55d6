import type { CloudEvent } from '@earshot/contracts';
import type { Delivery } from '../take/delivery.ts';

/** A fact as it was delivered; the same one may come again. */
export interface ReceivedFact {
  readonly subject: string;
  /** Undefined when the bytes are not a JSON object with a type; its data is not checked here. */
  readonly event: CloudEvent | undefined;
  readonly bytes: Uint8Array;
  /** Sequence in the stream. */
  readonly seq: number;
  /** When the stream stored it. */
  readonly time: Date;
  /** 1 for the first delivery. */
  readonly delivery: number;
  readonly traceparent: string | undefined;
}

/** Never throws. */
export function toFact(delivery: Delivery): ReceivedFact {
  const { subject, bytes, seq, time, count, headers } = delivery;
  return {
    subject,
    event: parseEvent(bytes),
    bytes,
    seq,
    time,
    delivery: count,
    traceparent: headers.traceparent,
  };
}

function parseEvent(bytes: Uint8Array): CloudEvent | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(bytes).toString());
    const type = (value as { type?: unknown } | null)?.type;
    return typeof type === 'string' ? (value as CloudEvent) : undefined;
  } catch {
    return undefined;
  }
}
