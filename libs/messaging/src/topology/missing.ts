import type { Topology } from '@earshot/contracts';
import type { Broker } from '../connection/broker.ts';
import { findConsumer, findStream } from './lookup.ts';

/** Names of streams and consumers that `topology` wants and the broker does not have. */
export async function missingParts(broker: Broker, topology: Topology): Promise<string[]> {
  const streams = topology.streams.map(async ({ name }) =>
    (await findStream(broker.api, name)) ? [] : [name],
  );
  const consumers = topology.consumers.map(async ({ stream, durable }) =>
    (await findConsumer(broker.api, stream, durable)) ? [] : [`${stream}/${durable}`],
  );
  return (await Promise.all([...streams, ...consumers])).flat();
}

/** When each stream of `topology` that exists was made, in Unix milliseconds: a stream re-made is another one. */
export async function streamBirths(broker: Broker, topology: Topology): Promise<Map<string, number>> {
  const births = topology.streams.map(async ({ name }) => {
    const stream = await findStream(broker.api, name);
    return stream ? [[name, Date.parse(stream.created)] as const] : [];
  });
  return new Map((await Promise.all(births)).flat());
}
