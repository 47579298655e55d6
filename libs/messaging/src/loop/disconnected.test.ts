import { done } from '@earshot/jobs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { gate, JobBench } from '../../test/job-bench.ts';
import { chunkResult, eventually, factsOf, useBroker } from '../../test/support.ts';

describe('a job that ends while the broker is away', () => {
  const { broker, server } = useBroker();
  let bench: JobBench;
  beforeEach(async () => {
    bench = await new JobBench(broker).start({ ackWaitSeconds: 30 });
  });
  afterEach(() => bench.stop());

  it('is published and acknowledged when it is back, and not run again', async () => {
    const finish = gate();
    const ended = gate();
    const loop = bench.loop(
      async ({ data }) => {
        await finish.opened;
        ended.open();
        return done(chunkResult(data));
      },
      { settings: { ackWaitMs: 30_000 } },
    );
    const job = await bench.publish();
    await eventually('the start', () => loop.active() === 1);
    await server().kill();
    await eventually('the loss to be noticed', () => !broker().link.connected);
    finish.open();
    await ended.opened;
    expect(loop.seen.settled).toEqual([]);
    await server().start();
    await loop.idle();
    expect(loop.seen.settled).toMatchObject([{ settled: 'done', delivery: 1 }]);
    expect(await broker().facts.last(factsOf(job).chunk(1, 0))).toBeDefined();
    await eventually('the queue to be empty', async () => (await bench.left()) === 0);
  });
});
