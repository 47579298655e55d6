import type { Topology } from '@earshot/contracts';
import type { Broker } from '../connection/broker.ts';
import { consumerConfig } from './consumer-config.ts';
import { differences } from './drift.ts';
import { findConsumer, findStream } from './lookup.ts';
import { streamConfig } from './stream-config.ts';

/**
 * What the broker has otherwise than `topology` says, one sentence each; empty when a service may start. Caps and pauses
 * are not drift, nor are streams and consumers the topology does not name.
 */
export async function verifyTopology(broker: Broker, topology: Topology): Promise<string[]> {
  const drift: string[] = [];
  for (const spec of topology.streams) {
    const found = await findStream(broker.api, spec.name);
    if (!found) drift.push(`stream ${spec.name} is missing`);
    else drift.push(...differences(`stream ${spec.name}`, streamConfig(spec), found.config));
  }
  for (const spec of topology.consumers) {
    const name = `consumer ${spec.durable} of ${spec.stream}`;
    const found = await findConsumer(broker.api, spec.stream, spec.durable);
    if (!found) drift.push(`${name} is missing`);
    else drift.push(...differences(name, consumerConfig(spec), found.config));
  }
  return drift;
}
