import { DURABLES, STREAMS } from '@earshot/contracts';
import type { Broker } from '../connection/broker.ts';
import { findConsumer, findStream } from '../topology/lookup.ts';

/** How far the stream of facts goes, and how far results has stored it; sequences. */
export interface FactPosition {
  /** When the stream was made. */
  readonly created_at: string;
  readonly first_seq: number;
  readonly last_seq: number;
  /** Everything up to here was acknowledged by results. */
  readonly ack_floor: number;
  /** Facts that results has not acknowledged. */
  readonly open: number;
}

/** The position of facts; undefined while the stream or the consumer of results is missing. */
export async function factPosition(broker: Broker): Promise<FactPosition | undefined> {
  const stream = await findStream(broker.api, STREAMS.transcripts);
  const consumer = stream && (await findConsumer(broker.api, STREAMS.transcripts, DURABLES.results));
  if (!stream || !consumer) return undefined;
  const { first_seq, last_seq } = stream.state;
  return {
    created_at: stream.created,
    first_seq,
    last_seq,
    ack_floor: consumer.ack_floor.stream_seq,
    open: consumer.num_pending + consumer.num_ack_pending,
  };
}
