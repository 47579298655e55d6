import { beforeEach, describe, expect, it } from 'vitest';
import { aChunkJob, chunkResult, testTopology, useBroker } from '../../test/support.ts';
import { applyTopology } from './apply.ts';
import { findConsumer, findStream } from './lookup.ts';
import { verifyTopology } from './verify.ts';

describe('topology', () => {
  const { broker } = useBroker();
  const wanted = testTopology(['fake']);
  const consumer = () => findConsumer(broker().api, 'JOBS', 'chunk-fake-high');

  beforeEach(async () => {
    for (const { name } of wanted.streams) {
      if (await findStream(broker().api, name)) await broker().api.call(`STREAM.DELETE.${name}`);
    }
  });

  it('lists everything as missing on an empty broker, and nothing once applied', async () => {
    const drift = await verifyTopology(broker(), wanted);
    expect(drift).toContain('stream JOBS is missing');
    expect(drift).toContain('consumer results of TRANSCRIPTS is missing');
    expect(drift).toHaveLength(wanted.streams.length + wanted.consumers.length);
    await applyTopology(broker(), wanted);
    expect(await verifyTopology(broker(), wanted)).toEqual([]);
  });

  it('counts from Unix milliseconds and allows schedules where they are wanted', async () => {
    const before = Date.now();
    await applyTopology(broker(), wanted);
    const jobs = await findStream(broker().api, 'JOBS');
    expect(jobs?.state.first_seq).toBeGreaterThanOrEqual(before);
    expect(jobs?.config).toMatchObject({
      allow_msg_schedules: true,
      retention: 'workqueue',
      storage: 'file',
    });
    const facts = await findStream(broker().api, 'TRANSCRIPTS');
    expect(facts?.config).toMatchObject({ discard: 'new', allow_rollup_hdrs: false });
  });

  it('may be applied again and by several at once', async () => {
    await Promise.all([1, 2, 3, 4].map(() => applyTopology(broker(), wanted)));
    const first = await findStream(broker().api, 'JOBS');
    await applyTopology(broker(), wanted);
    expect((await findStream(broker().api, 'JOBS'))?.config).toEqual(first?.config);
    expect(await verifyTopology(broker(), wanted)).toEqual([]);
  });

  it('names each difference and mends it without touching messages', async () => {
    await applyTopology(broker(), wanted);
    await broker().publisher.publish(chunkResult(aChunkJob()));
    const other = testTopology(['fake'], { factsDays: 3, ackWaitSeconds: 7 });
    const drift = await verifyTopology(broker(), other);
    expect(drift).toContainEqual(expect.stringMatching(/^stream TRANSCRIPTS: max_age is \d+, expected \d+$/));
    expect(drift).toContainEqual(expect.stringContaining('consumer chunk-fake-high of JOBS: ack_wait is'));
    await applyTopology(broker(), other);
    expect(await verifyTopology(broker(), other)).toEqual([]);
    expect((await findStream(broker().api, 'TRANSCRIPTS'))?.state.messages).toBe(1);
  });

  it('leaves the cap and the pause of a running consumer alone', async () => {
    await applyTopology(broker(), wanted);
    const live = { ...(await consumer())?.config, max_ack_pending: 7 };
    const body = { stream_name: 'JOBS', action: 'update', config: live };
    await broker().api.call('CONSUMER.CREATE.JOBS.chunk-fake-high', body);
    const until = new Date(Date.now() + 60_000).toISOString();
    await broker().api.call('CONSUMER.PAUSE.JOBS.chunk-fake-high', { pause_until: until });
    const other = testTopology(['fake'], { ackWaitSeconds: 9 });
    expect(await verifyTopology(broker(), wanted)).toEqual([]);
    await applyTopology(broker(), other);
    const config = (await consumer())?.config;
    expect(config).toMatchObject({ max_ack_pending: 7, ack_wait: 9e9 });
    expect(new Date(String(config?.pause_until)).toISOString()).toBe(until);
  });

  it('fails with the broker’s words where an update is not possible', async () => {
    await broker().api.call('STREAM.CREATE.JOBS', {
      name: 'JOBS',
      subjects: ['jobs.>'],
      retention: 'limits',
    });
    expect(await verifyTopology(broker(), wanted)).toContain(
      'stream JOBS: retention is "limits", expected "workqueue"',
    );
    await expect(applyTopology(broker(), wanted)).rejects.toThrow(/retention/);
  });

  it('never writes a cap of 0, which the broker would read as 1000', async () => {
    const consumers = wanted.consumers.map((spec) => ({ ...spec, max_ack_pending: 0 }));
    await expect(applyTopology(broker(), { ...wanted, consumers })).rejects.toThrow(/at least 1/);
  });
});
