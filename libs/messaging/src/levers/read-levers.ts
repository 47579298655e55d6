import { STREAMS } from '@earshot/contracts';
import type { Broker } from '../connection/broker.ts';
import { unlessMissing } from '../connection/js-api.ts';
import type { ConsumerInfo } from '../topology/lookup.ts';

/** A consumer of jobs as it is now: its queue and its levers. */
export interface ConsumerLevers {
  readonly durable: string;
  /** Jobs that nobody has taken yet; schedules are not among them. */
  readonly waiting: number;
  readonly inFlight: number;
  readonly maxAckPending: number;
  readonly paused: boolean;
  /** When the pause ends by itself; undefined when it is not paused. */
  readonly pausedUntil: Date | undefined;
}

interface Listed extends ConsumerInfo {
  readonly name: string;
}

/** Reads every consumer of the stream of jobs; empty without the stream. Throws `unavailable` without an answer. */
export async function readLevers(broker: Broker): Promise<ConsumerLevers[]> {
  const found: Listed[] = [];
  for (;;) {
    const { consumers, total } = await listPage(broker, found.length);
    found.push(...consumers);
    if (consumers.length === 0 || found.length >= total) return found.map(leversOf);
  }
}

async function listPage(broker: Broker, offset: number): Promise<{ consumers: Listed[]; total: number }> {
  const page = broker.api.call<{ consumers: Listed[]; total: number }>(`CONSUMER.LIST.${STREAMS.jobs}`, {
    offset,
  });
  return (await unlessMissing(page)) ?? { consumers: [], total: 0 };
}

function leversOf({ name, config, num_pending, num_ack_pending, paused = false }: Listed): ConsumerLevers {
  return {
    durable: name,
    waiting: num_pending,
    inFlight: num_ack_pending,
    maxAckPending: Number(config.max_ack_pending),
    paused,
    pausedUntil: paused ? new Date(String(config.pause_until)) : undefined,
  };
}
