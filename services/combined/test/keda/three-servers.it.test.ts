import { chunkJob, jobLanes, STREAMS, topology } from '@earshot/contracts';
import { applyTopology, type Broker, connectBroker } from '@earshot/messaging';
import { eventually, startTestCluster, type TestCluster } from '@earshot/testkit';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { JetStreamScaler, type Trigger } from './jetstream-scaler.ts';
import { askedBy, ENDPOINT, ENDPOINT_OF_THREE, scaledObject } from './read-triggers.ts';

const SETTINGS = { engines: ['sherpa'], maxAckPending: {} };
const log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
const triggers: readonly Trigger[] = scaledObject.triggers;
const chunkLanes = jobLanes(SETTINGS).filter(({ stage }) => stage === 'chunk');
let servers: TestCluster;
let broker: Broker;

beforeAll(async () => {
  servers = await startTestCluster();
  broker = await connectBroker({ servers: servers.urls, name: 'test', log });
  const store = { ackWaitSeconds: 3_600, storeBytes: 100 * 1024 * 1024, factsDays: 7, replicas: 3 };
  await applyTopology(broker, topology({ ...SETTINGS, ...store }));
});
afterAll(async () => {
  await broker?.close();
  await servers?.dispose();
});

/**
 * The names of a cluster: a service answers with any of its servers, a headless one also with each by its pod's name.
 * Routes, which are the addresses of this machine here, carry the names that the chart gives them.
 */
async function get(url: string): Promise<unknown> {
  const { host, pathname, search } = new URL(url);
  const names = new Map([...servers.monitorUrls].map(([name, at]) => [`${name}.${ENDPOINT_OF_THREE}`, at]));
  const any = servers.monitorUrls.get('nats-1') ?? '';
  const at = new Map([...names, [ENDPOINT, any], [ENDPOINT_OF_THREE, any]]).get(host);
  if (!at) throw new Error(`getaddrinfo ENOTFOUND ${host}`);
  const told = (await (await fetch(`${at}${pathname}${search}`)).json()) as { connect_urls?: string[] };
  if (pathname !== '/varz') return told;
  expect(told.connect_urls ?? []).toEqual([]);
  return {
    ...told,
    cluster: { urls: [...servers.monitorUrls.keys()].map((name) => `${name}.nats-headless:6222`) },
  };
}

const publish = async (n: number) => {
  const data = {
    ...{
      tenant_id: 'default',
      transcript_id: '00000000-0000-5000-8000-000000000001',
      plan: 1,
      generation: 0,
    },
    ...{
      attempt: 1,
      engine: 'sherpa',
      key: 'default/a',
      channels: 'mixed' as const,
      start_ms: 0,
      end_ms: 60_000,
    },
  };
  for (const { lane } of chunkLanes)
    await broker.publisher.publish(chunkJob.create({ ...data, lane, n }, { source: '/test' }));
};

const scalers = triggers.map(
  (trigger) =>
    [trigger.metadata.consumer, new JetStreamScaler(askedBy(trigger, ENDPOINT_OF_THREE), get)] as const,
);
const lags = async () =>
  Object.fromEntries(await Promise.all(scalers.map(async ([name, scaler]) => [name, await scaler.lag()])));
const truth = (each: number) =>
  Object.fromEntries(
    jobLanes(SETTINGS).map(({ durable, stage }) => [durable, stage === 'chunk' ? each : 0] as const),
  );
const expectTruth = (each: number) =>
  eventually(`each lane of chunks to count ${each}`, async () => {
    const read = await lags().catch(() => undefined);
    return (
      JSON.stringify(Object.entries(read ?? {}).sort()) === JSON.stringify(Object.entries(truth(each)).sort())
    );
  });

it('with three servers KEDA asks the one that leads each consumer, also after another leads it', async () => {
  await publish(0);
  await publish(1);
  await expectTruth(2);
  for (const { durable } of chunkLanes)
    await broker.api.call(`CONSUMER.LEADER.STEPDOWN.${STREAMS.jobs}.${durable}`);
  await publish(2);
  await expectTruth(3);
});

it('with a name that is not that of the headless service KEDA finds none of them', async () => {
  const [trigger] = triggers as [Trigger];
  await expect(new JetStreamScaler(askedBy(trigger, ENDPOINT), get).lag()).rejects.toThrow(
    `ENOTFOUND nats-0.${ENDPOINT}`,
  );
});
