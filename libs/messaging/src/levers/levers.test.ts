import { createInbox } from 'nats';
import { beforeEach, describe, expect, it } from 'vitest';
import {
  aChunkJob,
  eventually,
  jobMessage,
  testTopology,
  timePasses,
  useBroker,
} from '../../test/support.ts';
import { applyTopology } from '../topology/apply.ts';
import { findStream } from '../topology/lookup.ts';
import { verifyTopology } from '../topology/verify.ts';
import { pauseConsumer, resumeConsumer } from './pause.ts';
import { readLevers } from './read-levers.ts';
import { setCap } from './set-cap.ts';

const DURABLE = 'chunk-fake-normal';

describe('the levers of a running consumer', () => {
  const { broker } = useBroker();
  const topology = testTopology(['fake'], { maxAckPending: { fake: 10 } });

  beforeEach(async () => {
    if (await findStream(broker().api, 'JOBS')) await broker().api.call('STREAM.DELETE.JOBS');
    await applyTopology(broker(), topology);
  });

  const levers = async () => (await readLevers(broker())).find(({ durable }) => durable === DURABLE);
  const publish = async (count: number) => {
    for (let n = 0; n < count; n += 1) await broker().publisher.publish(jobMessage(aChunkJob()));
  };

  /** A waiting pull, as a worker has it open, and how many jobs it got. */
  function waitingPull(batch: number) {
    const inbox = createInbox();
    const got = { jobs: 0 };
    broker().connection.subscribe(inbox, {
      callback: (_error, message) => {
        if (!message.headers?.code) got.jobs += 1;
      },
    });
    const body = JSON.stringify({ batch, expires: 30e9 });
    broker().connection.publish(`$JS.API.CONSUMER.MSG.NEXT.JOBS.${DURABLE}`, body, { reply: inbox });
    return got;
  }

  it('are read with the queue in front of each', async () => {
    await publish(3);
    const got = waitingPull(1);
    await eventually('a job', () => got.jobs === 1);
    const all = await readLevers(broker());
    expect(all.map(({ durable }) => durable).sort()).toEqual(
      ['chunk-fake', 'split'].flatMap((stage) => ['high', 'low', 'normal'].map((lane) => `${stage}-${lane}`)),
    );
    expect(await levers()).toEqual({
      durable: DURABLE,
      waiting: 2,
      inFlight: 1,
      maxAckPending: 7,
      paused: false,
      pausedUntil: undefined,
    });
  });

  it('are none where there is no stream, or no consumer', async () => {
    expect(await setCap(broker(), 'chunk-other-low', 5)).toBe(false);
    await broker().api.call('STREAM.DELETE.JOBS');
    expect(await readLevers(broker())).toEqual([]);
    expect(await setCap(broker(), DURABLE, 5)).toBe(false);
    expect(await pauseConsumer(broker(), DURABLE)).toBe(false);
    expect(await resumeConsumer(broker(), DURABLE)).toBe(false);
  });

  it('let a waiting pull use a higher cap at once, and leave what is above a lower one in flight', async () => {
    await publish(5);
    await setCap(broker(), DURABLE, 2);
    const got = waitingPull(5);
    await eventually('the first two', () => got.jobs === 2);
    await setCap(broker(), DURABLE, 4);
    await eventually('two more', () => got.jobs === 4);
    await setCap(broker(), DURABLE, 1);
    expect(await levers()).toMatchObject({ inFlight: 4, waiting: 1, maxAckPending: 1 });
  });

  it.each([0, -1, 1.5, Number.NaN])(
    'refuse a cap of %s, which the broker would read as another',
    async (cap) => {
      await expect(setCap(broker(), DURABLE, cap)).rejects.toThrow(/at least 1/);
      expect((await levers())?.maxAckPending).toBe(7);
    },
  );

  it('hold jobs back from waiting pulls during a pause, and wake those pulls at its end', async () => {
    await pauseConsumer(broker(), DURABLE);
    await publish(2);
    const got = waitingPull(2);
    await timePasses(300);
    expect(got.jobs).toBe(0);
    expect(await levers()).toMatchObject({ paused: true, waiting: 2, inFlight: 0 });
    await resumeConsumer(broker(), DURABLE);
    await eventually('the jobs', () => got.jobs === 2);
    expect(await levers()).toMatchObject({ paused: false, pausedUntil: undefined });
    expect(await resumeConsumer(broker(), DURABLE)).toBe(true);
  });

  it('end a pause by themselves at its time', async () => {
    await publish(1);
    const until = new Date(Date.now() + 700);
    await pauseConsumer(broker(), DURABLE, until);
    expect((await levers())?.pausedUntil).toEqual(until);
    const got = waitingPull(1);
    await eventually('the job', () => got.jobs === 1);
    expect(Date.now()).toBeGreaterThanOrEqual(until.getTime() - 50);
  });

  it('survive topology apply and are not drift, and a cap leaves a pause alone', async () => {
    await pauseConsumer(broker(), DURABLE);
    await setCap(broker(), DURABLE, 3);
    expect(await verifyTopology(broker(), topology)).toEqual([]);
    await applyTopology(broker(), testTopology(['fake'], { ackWaitSeconds: 9 }));
    expect(await levers()).toMatchObject({ paused: true, maxAckPending: 3 });
  });
});
