import { done, type Outcome } from '@earshot/jobs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ACK_WAIT_MS, gate, JobBench, untilAborted } from '../../test/job-bench.ts';
import { chunkResult, eventually, factsOf, recordingLog, timePasses, useBroker } from '../../test/support.ts';
import { connectBroker } from '../connection/connect.ts';
import { abortReason } from './aborted.ts';

describe('the lease of a job', () => {
  const { broker, server } = useBroker();
  let bench: JobBench;
  beforeEach(async () => {
    bench = await new JobBench(broker).start();
  });
  afterEach(() => bench.stop());

  it('is kept by beats for longer than ack_wait: nobody else gets the job', async () => {
    const finish = gate();
    const deliveries: number[] = [];
    const handler = async ({ delivery }: { delivery: number }) => {
      deliveries.push(delivery);
      await finish.opened;
      return done();
    };
    const loop = bench.loop(handler);
    bench.loop(handler);
    await bench.publish();
    await timePasses(ACK_WAIT_MS * 1.5);
    finish.open();
    await eventually('the end', async () => (await bench.left()) === 0);
    await loop.idle();
    expect(deliveries).toEqual([1]);
  });

  it('counts as lost before the broker gives the job away, when no beat is answered', async () => {
    const reasons: unknown[] = [];
    const startedAt: number[] = [];
    const abortedAfter: number[] = [];
    const loop = bench.loop(async ({ signal, delivery, data }) => {
      if (delivery > 1) return done(chunkResult(data));
      startedAt.push(performance.now());
      await untilAborted(signal).catch(() => undefined);
      reasons.push(abortReason(signal));
      abortedAfter.push(performance.now() - (startedAt[0] ?? 0));
      throw signal.reason;
    });
    const job = await bench.publish();
    await eventually('the start', () => startedAt.length === 1);
    server().pause();
    await eventually('the loss', () => reasons.length === 1);
    server().resume();
    expect(reasons).toEqual(['lease_lost']);
    expect(abortedAfter[0]).toBeLessThan(ACK_WAIT_MS);
    await eventually('the second run', () => loop.seen.settled.length === 2);
    expect(await broker().facts.last(factsOf(job).chunk(1, 0))).toBeDefined();
    expect(loop.seen.settled.map(({ settled }) => settled)).toEqual(['lease_lost', 'done']);
  });

  it('a zombie’s late result changes nothing, and it does not acknowledge', async () => {
    const late = gate();
    const zombie = bench.loop(async ({ data, delivery }) => {
      if (delivery === 1) await late.opened;
      return done(chunkResult(data, 'zombie'));
    });
    const job = await bench.publish();
    await eventually('the zombie at work', () => zombie.active() === 1);
    server().pause();
    await timePasses(ACK_WAIT_MS);
    server().resume();
    bench.loop(async ({ data }) => done(chunkResult(data, 'successor')));
    await eventually('the successor', () => broker().facts.last(factsOf(job).chunk(1, 0)));
    late.open();
    await eventually('the zombie’s end', () => zombie.seen.settled.length === 1);
    expect(zombie.seen.settled[0]?.settled).toBe('lease_lost');
    expect(zombie.seen.alreadyThere).toEqual([factsOf(job).chunk(1, 0)]);
    const fact = await broker().facts.last(factsOf(job).chunk(1, 0));
    expect(fact?.event.data).toMatchObject({ worker: 'successor' });
  });

  it('survives restarts of the broker that are shorter than it', async () => {
    const finish = gate();
    const deliveries: number[] = [];
    bench.loop(async ({ delivery }) => {
      deliveries.push(delivery);
      await finish.opened;
      return done();
    });
    await bench.publish();
    await eventually('the start', () => deliveries.length === 1);
    for (let restart = 0; restart < 3; restart += 1) {
      await server().kill();
      await server().start();
      expect(await broker().link.whenConnected(5_000)).toBe(true);
    }
    await timePasses(ACK_WAIT_MS);
    finish.open();
    await eventually('the end', async () => (await bench.left()) === 0);
    expect(deliveries).toEqual([1]);
  });

  it('a worker that vanishes loses its job to another after ack_wait', async () => {
    const own = await connectBroker({ servers: [server().url], name: 'doomed', log: recordingLog() });
    const doomed = new Promise<Outcome>(() => undefined);
    const first = bench.loop(() => doomed, { broker: own });
    const job = await bench.publish();
    await eventually('the start', () => first.active() === 1);
    await own.close();
    bench.loop(async ({ data, delivery }) => done(chunkResult(data, `delivery ${delivery}`)));
    const fact = await eventually('the result', () => broker().facts.last(factsOf(job).chunk(1, 0)));
    expect(fact.event.data).toMatchObject({ worker: 'delivery 2' });
  });
});
