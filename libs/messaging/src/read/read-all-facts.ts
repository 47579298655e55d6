import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { STREAMS } from '@earshot/contracts';
import { CodedError } from '@earshot/domain';
import type { Broker } from '../connection/broker.ts';
import { type FactLoopOptions, startFactLoop } from '../loop/fact-loop.ts';
import { findConsumer, findStream } from '../topology/lookup.ts';

const ACK_WAIT_MS = 30_000;
const LOOK_EVERY_MS = 50;
const NANOS = 1_000_000;

/**
 * Hands every fact that the stream holds now to `handle`, in batches and nearly in order, whoever has read it before;
 * resolves when all are handled. Uses a consumer of its own, so nothing that others read is touched. Throws `unavailable`
 * when the stream is missing, or the signal's reason.
 */
export async function readAllFacts(
  broker: Broker,
  options: Pick<FactLoopOptions, 'handle' | 'log'> & { readonly signal: AbortSignal },
): Promise<void> {
  const stream = await findStream(broker.api, STREAMS.transcripts);
  if (!stream) throw new CodedError('unavailable', `there is no stream ${STREAMS.transcripts}`);
  if (stream.state.messages === 0) return;
  const durable = `read-all-${randomUUID()}`;
  await createReader(broker, durable);
  const loop = startFactLoop({ broker, durable, ackWaitMs: ACK_WAIT_MS, ...options });
  try {
    await until(broker, durable, stream.state.last_seq, options.signal);
  } finally {
    await loop.stop();
    // One that cannot be deleted now goes by itself once nobody reads from it.
    await broker.api.call(`CONSUMER.DELETE.${STREAMS.transcripts}.${durable}`).catch(() => undefined);
  }
}

async function createReader(broker: Broker, durable: string): Promise<void> {
  const config = {
    durable_name: durable,
    filter_subject: 'transcripts.>',
    ack_policy: 'explicit',
    deliver_policy: 'all',
    replay_policy: 'instant',
    ack_wait: ACK_WAIT_MS * NANOS,
    max_ack_pending: 1_000,
    inactive_threshold: 10 * ACK_WAIT_MS * NANOS,
  };
  const body = { stream_name: STREAMS.transcripts, action: 'create', config };
  await broker.api.call(`CONSUMER.CREATE.${STREAMS.transcripts}.${durable}`, body);
}

async function until(broker: Broker, durable: string, seq: number, signal: AbortSignal): Promise<void> {
  for (;;) {
    signal.throwIfAborted();
    const consumer = await findConsumer(broker.api, STREAMS.transcripts, durable);
    if (!consumer) throw new CodedError('unavailable', 'the reader of facts is gone');
    const { ack_floor, num_pending, num_ack_pending } = consumer;
    if (ack_floor.stream_seq >= seq || num_pending + num_ack_pending === 0) return;
    await pause(LOOK_EVERY_MS);
  }
}
