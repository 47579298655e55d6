import { chunkJob, type JobLane, jobLanes, STREAMS, splitJob, topology } from '@earshot/contracts';
import { applyTopology, type Broker, connectBroker } from '@earshot/messaging';
import { eventually, startTestBroker, type TestBroker } from '@earshot/testkit';
import { type ConsumerMessages, connect, type JsMsg, type NatsConnection } from 'nats';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Get, JetStreamScaler, type Trigger } from './jetstream-scaler.ts';
import { askedBy, ENDPOINT, scaledJob, scaledObject } from './read-triggers.ts';

const triggers: readonly Trigger[] = scaledObject.triggers;
const { formula, activationTarget } = scaledObject.advanced.scalingModifiers;
const SETTINGS = { engines: ['sherpa'], maxAckPending: {} };
const lanes = jobLanes(SETTINGS);
const log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

let server: TestBroker;
let broker: Broker;
let connection: NatsConnection;
beforeAll(async () => {
  server = await startTestBroker({ monitored: true });
  broker = await connectBroker({ servers: [server.url], name: 'test', log });
  connection = await connect({ servers: server.url });
});
afterAll(async () => {
  await connection.close();
  await broker.close();
  await server.dispose();
});

const installation = topology({
  ...SETTINGS,
  ackWaitSeconds: 3_600,
  storeBytes: 100 * 1024 * 1024,
  factsDays: 7,
  replicas: 1,
});
beforeEach(async () => {
  await applyTopology(broker, installation);
  const manager = await connection.jetstreamManager();
  for (const { name } of installation.streams) await manager.streams.purge(name);
});

/** Our only server stands for whatever name KEDA asks. */
const get: Get = async (url) => (await fetch(url.replace(`http://${ENDPOINT}`, server.monitorUrl))).json();
const lagOf = (trigger: Trigger) => new JetStreamScaler(askedBy(trigger), get).lag();

/** The composite figure and whether it keeps the first worker there: `value > activationTarget`. */
async function readKeda(): Promise<{ lag: number; active: boolean }> {
  const values = await Promise.all(triggers.map(lagOf));
  const names: string[] = formula.split(' + ');
  const byName = new Map(triggers.map(({ name }, n) => [name, values[n] ?? Number.NaN]));
  const lag = names.reduce((sum, name) => sum + (byName.get(name) ?? Number.NaN), 0);
  return { lag, active: lag > Number(activationTarget) };
}

let recordings = 0;
const nextId = () => {
  recordings += 1;
  return `00000000-0000-5000-8000-${String(recordings).padStart(12, '0')}`;
};

function jobFor({ stage, lane }: JobLane) {
  const whose = { tenant_id: 'default', transcript_id: nextId(), plan: 1, generation: 0, attempt: 1 };
  const what = { ...whose, engine: 'sherpa', lane, key: 'default/a', channels: 'mixed' as const };
  const about = { source: '/test' };
  return stage === 'split'
    ? splitJob.create({ ...what, accepted_at: new Date().toISOString() }, about)
    : chunkJob.create({ ...what, n: 0, start_ms: 0, end_ms: 60_000 }, about);
}

async function take(durable: string): Promise<JsMsg> {
  const consumer = await connection.jetstream().consumers.get(STREAMS.jobs, durable);
  const messages: ConsumerMessages = await consumer.fetch({ max_messages: 1, expires: 5_000 });
  for await (const message of messages) return message;
  throw new Error(`${durable} had no job`);
}

const laneOf = (durable: string) => lanes.find((lane) => lane.durable === durable) as JobLane;

describe('what KEDA reads for our ScaledObject and ScaledJob', () => {
  it('is the lag of every lane that workers take from, each named once', () => {
    expect(triggers.map(({ metadata }) => metadata.consumer).sort()).toEqual(
      lanes.map(({ durable }) => durable).sort(),
    );
    expect(triggers.map(({ metadata }) => metadata.stream)).toEqual(lanes.map(() => STREAMS.jobs));
    expect(formula.split(' + ').sort()).toEqual(triggers.map(({ name }) => name).sort());
    expect(scaledJob.triggers).toEqual(triggers);
  });

  it('equals the jobs that wait or are in work, and leaves out those whose time has not come', async () => {
    for (const [n, lane] of lanes.entries()) {
      for (let count = 0; count <= n; count += 1) await broker.publisher.publish(jobFor(lane));
    }
    await broker.publisher.publishLater(
      jobFor(laneOf('chunk-sherpa-normal')),
      new Date(Date.now() + 3_600_000),
    );
    await take('split-low');
    const taken = await take('chunk-sherpa-low');
    expect(await readKeda()).toEqual({ lag: 21, active: true });
    await taken.ackAck();
    await eventually('the acknowledged job to be gone', async () => (await readKeda()).lag === 20);
  });

  it('says active for one upload without any worker, and inactive only when its last chunk is acknowledged', async () => {
    expect(await readKeda()).toEqual({ lag: 0, active: false });
    await broker.publisher.publish(jobFor(laneOf('split-normal')));
    expect(await readKeda()).toEqual({ lag: 1, active: true });
    const split = await take('split-normal');
    expect(await readKeda()).toEqual({ lag: 1, active: true });
    await broker.publisher.publish(jobFor(laneOf('chunk-sherpa-normal')));
    await split.ackAck();
    const chunk = await take('chunk-sherpa-normal');
    for (let look = 0; look < 20; look += 1) expect((await readKeda()).active).toBe(true);
    await chunk.ackAck();
    await eventually('nothing to be left', async () => !(await readKeda()).active);
  });

  it('is an error, not a number, while a consumer is missing', async () => {
    const manager = await connection.jetstreamManager();
    await manager.consumers.delete(STREAMS.jobs, 'split-high');
    await expect(readKeda()).rejects.toThrow('consumer "split-high" not found');
  });
});
