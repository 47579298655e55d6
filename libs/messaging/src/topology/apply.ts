import type { ConsumerSpec, StreamSpec, Topology } from '@earshot/contracts';
import type { Broker } from '../connection/broker.ts';
import { ERR, type JsApi, JsApiError } from '../connection/js-api.ts';
import { consumerConfig, firstCap } from './consumer-config.ts';
import { differences } from './drift.ts';
import { findConsumer, findStream } from './lookup.ts';
import { streamConfig } from './stream-config.ts';

/**
 * Creates what is missing and updates what differs; may be repeated and run by several at once. A new stream counts from
 * the Unix milliseconds of its creation, so that an ack meant for a lost predecessor matches nothing. `max_ack_pending`
 * is written when a consumer is created and never again, and a pause is left alone: both are changed while running.
 * Throws the broker's refusal, e.g. of another retention on an existing stream.
 */
export async function applyTopology(broker: Broker, topology: Topology): Promise<void> {
  for (const spec of topology.streams) await retryRace(() => applyStream(broker.api, spec));
  for (const spec of topology.consumers) await retryRace(() => applyConsumer(broker.api, spec));
}

async function applyStream(api: JsApi, spec: StreamSpec): Promise<void> {
  const wanted = streamConfig(spec);
  const existing = await findStream(api, spec.name);
  if (!existing) {
    await api.call(`STREAM.CREATE.${spec.name}`, { ...wanted, first_seq: Date.now() });
  } else if (differences(spec.name, wanted, existing.config).length > 0) {
    await api.call(`STREAM.UPDATE.${spec.name}`, { ...existing.config, ...wanted });
  }
}

async function applyConsumer(api: JsApi, spec: ConsumerSpec): Promise<void> {
  const wanted = consumerConfig(spec);
  const write = (action: 'create' | 'update', config: object) =>
    api.call(`CONSUMER.CREATE.${spec.stream}.${spec.durable}`, { stream_name: spec.stream, action, config });
  const existing = await findConsumer(api, spec.stream, spec.durable);
  if (!existing) await write('create', { ...wanted, ...firstCap(spec) });
  else if (differences(spec.durable, wanted, existing.config).length > 0) {
    await write('update', { ...existing.config, ...wanted });
  }
}

/** Another applier may create between our look and our create; a second look then finds its work. */
async function retryRace(apply: () => Promise<void>): Promise<void> {
  const races: readonly number[] = [ERR.streamNameInUse, ERR.consumerExists];
  for (let left = 5; ; left -= 1) {
    try {
      return await apply();
    } catch (error) {
      const raced = error instanceof JsApiError && races.includes(error.errCode);
      if (!raced || left === 0) throw error;
    }
  }
}
