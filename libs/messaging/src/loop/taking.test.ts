import type { ChunkJob, Lane } from '@earshot/contracts';
import { done } from '@earshot/jobs';
import { connectBroker } from '@earshot/messaging';
import { startTcpProxy } from '@earshot/testkit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { gate, JobBench } from '../../test/job-bench.ts';
import { eventually, useBroker } from '../../test/support.ts';

describe('taking work', () => {
  const { broker, server } = useBroker();
  let bench: JobBench;
  beforeEach(async () => {
    bench = await new JobBench(broker).start();
  });
  afterEach(() => bench.stop());

  const publishMany = (count: number, data: Partial<ChunkJob>) =>
    Promise.all(Array.from({ length: count }, () => bench.publish(data)));

  it('prefers high under a backlog, and starves no lane', async () => {
    for (const lane of ['low', 'normal', 'high'] as const) await publishMany(32, { lane });
    const order: Lane[] = [];
    bench.loop(async ({ data }) => {
      order.push(data.lane);
      return done();
    });
    await eventually('all jobs', () => order.length === 96);
    const first = order.slice(0, 32);
    const share = (lane: Lane) => first.filter((taken) => taken === lane).length;
    expect(share('high')).toBe(24);
    expect(share('normal')).toBe(4);
    expect(share('low')).toBe(4);
    expect(order.slice(-16).every((lane) => lane === 'low')).toBe(true);
  });

  it('takes a high job next, however many low ones came before', async () => {
    await publishMany(48, { lane: 'low' });
    const order: Lane[] = [];
    bench.loop(async ({ data }) => {
      order.push(data.lane);
      if (data.lane === 'low') await bench.publish({ lane: 'high' });
      return done();
    });
    await eventually('all jobs', () => order.length === 96);
    const passedBy = order.filter((lane, n) => lane === 'low' && order[n - 1] === 'low');
    expect(passedBy).toEqual([]);
  });

  it('takes high jobs first over a slow line too, and takes none to hand it back', async () => {
    const proxy = await startTcpProxy(server().port);
    const servers = [`nats://127.0.0.1:${proxy.port}`];
    const far = await connectBroker({ servers, name: 'far away', log: bench.log });
    await publishMany(6, { lane: 'low' });
    await publishMany(6, { lane: 'high' });
    proxy.poison({ type: 'latency', latency: 70 });
    const order: Lane[] = [];
    const loop = bench.loop(
      async ({ data }) => {
        order.push(data.lane);
        return done();
      },
      { broker: far },
    );
    await eventually('all jobs', () => order.length === 12, 20_000);
    await loop.stop({ graceMs: 1_000 });
    await far.close();
    await proxy.close();
    expect(order.slice(0, 6)).toEqual(Array(6).fill('high'));
    expect(loop.seen.surplus).toEqual([]);
  });

  it('fills all free slots and never more', async () => {
    await publishMany(20, {});
    const finish = gate();
    let most = 0;
    const loop = bench.loop(
      async () => {
        most = Math.max(most, loop.active());
        await finish.opened;
        return done();
      },
      { slots: 7 },
    );
    await eventually('full slots', () => loop.active() === 7);
    finish.open();
    await eventually('the end', async () => (await bench.left()) === 0);
    expect(most).toBe(7);
  });

  it('takes a job within milliseconds while idle, whatever its lane', async () => {
    const waits: number[] = [];
    let publishedAt = 0;
    bench.loop(async () => {
      waits.push(performance.now() - publishedAt);
      return done();
    });
    const lanes = ['low', 'high', 'normal'] as const;
    for (let count = 0; count < 150; count += 1) {
      const { length } = waits;
      publishedAt = performance.now();
      await bench.publish({ lane: lanes[count % 3] ?? 'normal' });
      await eventually('the job', () => waits.length > length);
    }
    waits.sort((left, right) => left - right);
    console.info(`idle wait: p50 ${waits[74]?.toFixed(1)} ms, p99 ${waits[148]?.toFixed(1)} ms`);
    expect(waits[74]).toBeLessThan(500);
  });

  it('strands nothing in bursts on many idle slots over all lanes', async () => {
    // A stranded message would come back too late.
    bench = await new JobBench(broker).start({ ackWaitSeconds: 60 });
    const seen = new Map<string, number>();
    const loops = Array.from({ length: 8 }, () =>
      bench.loop(
        async ({ subject, delivery }) => {
          seen.set(subject, Math.max(delivery, seen.get(subject) ?? 0));
          return done();
        },
        { slots: 5 },
      ),
    );
    for (let burst = 1; burst <= 6; burst += 1) {
      for (const lane of ['low', 'high', 'normal'] as const) await publishMany(10, { lane });
      await eventually('the burst', () => seen.size === burst * 30);
    }
    const surplus = loops.reduce((sum, loop) => sum + loop.seen.surplus.length, 0);
    console.info(
      `180 jobs in 6 bursts on 40 idle slots: ${surplus} surplus naks, most deliveries ${Math.max(...seen.values())}`,
    );
    expect(await eventually('an empty queue', async () => (await bench.left()) === 0)).toBe(true);
  });

  it('keeps serving other lanes while one is at its cap, and fills a place as soon as one is free', async () => {
    const capped = await new JobBench(broker).start({ cap: 3, ackWaitSeconds: 60 });
    const finish = gate();
    const order: Lane[] = [];
    capped.loop(
      async ({ data }) => {
        order.push(data.lane);
        if (data.lane === 'high' && order.length === 1) await finish.opened;
        return done();
      },
      { slots: 4 },
    );
    await capped.publish({ lane: 'high' });
    await eventually('the lane to be full', () => order.length === 1);
    await capped.publish({ lane: 'high' });
    await capped.publish({ lane: 'high' });
    await publishForOthers(capped, 10);
    await eventually('the other lane', () => order.filter((lane) => lane === 'low').length === 10);
    expect(order.filter((lane) => lane === 'high')).toHaveLength(1);
    finish.open();
    await eventually('the rest of the lane', () => order.filter((lane) => lane === 'high').length === 3);
    await capped.stop();
  });

  it('goes on after a restart of the broker while idle', async () => {
    let runs = 0;
    bench.loop(async () => {
      runs += 1;
      return done();
    });
    await bench.publish();
    await eventually('the first', () => runs === 1);
    await server().kill();
    await server().start();
    await bench.publish();
    await eventually('the second', () => runs === 2, 1_500);
  });

  it('survives a missing stream without a hot loop, and says so once', async () => {
    let runs = 0;
    const loop = bench.loop(
      async () => {
        runs += 1;
        return done();
      },
      { stream: 'ELSEWHERE', durables: { single: 'nobody' } },
    );
    await eventually('a warning', () => bench.log.lines.some(({ level }) => level === 'warn'));
    const create = { name: 'ELSEWHERE', subjects: ['elsewhere.>'], retention: 'workqueue' };
    await broker().api.call('STREAM.CREATE.ELSEWHERE', create);
    const config = { durable_name: 'nobody', ack_policy: 'explicit', ack_wait: 2e9 };
    await broker().api.call('CONSUMER.CREATE.ELSEWHERE.nobody', { stream_name: 'ELSEWHERE', config });
    await eventually('work again', () => bench.log.lines.some(({ level }) => level === 'info'));
    expect(bench.log.lines.filter(({ level }) => level === 'warn')).toHaveLength(1);
    expect(loop.active()).toBe(0);
    expect(runs).toBe(0);
  });
});

async function publishForOthers(bench: JobBench, count: number): Promise<void> {
  const finished: Promise<unknown>[] = [];
  for (let index = 0; index < count; index += 1) finished.push(bench.publish({ lane: 'low' }));
  await Promise.all(finished);
}
