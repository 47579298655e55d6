import { STREAMS } from '@earshot/contracts';
import type { Broker } from '../connection/broker.ts';
import { findConsumer } from '../topology/lookup.ts';

/**
 * Sets how many jobs of a consumer may be in flight at once, while it works: what is above a lower cap is finished, and a
 * higher one is used at once. False when there is no such consumer. Throws below 1: the broker would read 0 as 1000.
 */
export async function setCap(broker: Broker, durable: string, maxAckPending: number): Promise<boolean> {
  if (!Number.isInteger(maxAckPending) || maxAckPending < 1) {
    throw new RangeError(`${durable}: max_ack_pending must be a whole number of at least 1`);
  }
  const found = await findConsumer(broker.api, STREAMS.jobs, durable);
  if (!found) return false;
  if (found.config.max_ack_pending === maxAckPending) return true;
  const config = { ...found.config, max_ack_pending: maxAckPending };
  const body = { stream_name: STREAMS.jobs, action: 'update', config };
  await broker.api.call(`CONSUMER.CREATE.${STREAMS.jobs}.${durable}`, body);
  return true;
}
