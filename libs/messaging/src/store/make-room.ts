import type { Broker } from '../connection/broker.ts';
import { findConsumer, findStream } from '../topology/lookup.ts';

/** When and where to make room. */
export interface MakeRoomOptions {
  readonly stream: string;
  /** Only what this consumer has acknowledged is removed. */
  readonly durable: string;
  /** The part of the budget above which room is made, e.g. 0.6. */
  readonly threshold: number;
  /** The budget; default: the stream's own `max_bytes`. */
  readonly bytes?: number;
}

/**
 * Removes messages from `stream` up to sequence `before` (exclusive); returns how many. `subject` narrows it down,
 * wildcards allowed.
 */
export async function purge(
  broker: Broker,
  options: { readonly stream: string; readonly subject?: string; readonly before?: number },
): Promise<number> {
  const body = {
    ...(options.subject ? { filter: options.subject } : {}),
    ...(options.before === undefined ? {} : { seq: options.before }),
  };
  const { purged } = await broker.api.call<{ purged: number }>(`STREAM.PURGE.${options.stream}`, body);
  return purged;
}

/**
 * Purges acknowledged messages, oldest first, once the stream is above its threshold, down to about nine tenths of it
 * (by the average message size: call it again and it converges). Returns how many went; 0 when nothing had to or could.
 */
export async function makeRoom(broker: Broker, options: MakeRoomOptions): Promise<number> {
  const stream = await findStream(broker.api, options.stream);
  if (!stream || stream.state.messages === 0) return 0;
  const budget = options.bytes ?? stream.config.max_bytes;
  const most = options.threshold * budget;
  if (budget <= 0 || stream.state.bytes <= most) return 0;
  const consumer = await findConsumer(broker.api, options.stream, options.durable);
  if (!consumer) return 0;
  const { bytes, messages, first_seq, last_seq } = stream.state;
  const surplus = (bytes - most * 0.9) / bytes;
  const enough = first_seq + Math.ceil((last_seq - first_seq + 1) * surplus);
  const before = Math.min(enough, consumer.ack_floor.stream_seq + 1);
  return before > first_seq && messages > 0 ? purge(broker, { stream: options.stream, before }) : 0;
}
