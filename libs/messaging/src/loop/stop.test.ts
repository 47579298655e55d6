import { CodedError } from '@earshot/domain';
import { done, type Outcome } from '@earshot/jobs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { gate, JobBench, untilAborted } from '../../test/job-bench.ts';
import { chunkResult, eventually, factsOf, useBroker } from '../../test/support.ts';
import { abortReason } from './aborted.ts';

describe('stopping and pausing a loop', () => {
  const { broker } = useBroker();
  let bench: JobBench;
  beforeEach(async () => {
    bench = await new JobBench(broker).start();
  });
  afterEach(() => bench.stop());
  /** What is not handed back would come too late for every wait. */
  const patientBench = () => new JobBench(broker).start({ ackWaitSeconds: 60 });

  it('hands a long job over at once, with the same attempt', async () => {
    const bench = await patientBench();
    const loop = bench.loop(({ signal }) => untilAborted(signal));
    const job = await bench.publish();
    await eventually('the start', () => loop.active() === 1);
    const runs: [number, number][] = [];
    await loop.stop({ graceMs: 5_000, finishWithinMs: 0 });
    bench.loop(async ({ data, delivery }) => {
      runs.push([data.attempt, delivery]);
      return done(chunkResult(data));
    });
    await eventually('the result', () => broker().facts.last(factsOf(job).chunk(1, 0)));
    expect(runs).toEqual([[1, 2]]);
    expect(loop.seen.settled[0]?.settled).toBe('interrupted');
  });

  it('finishes what ends in time', async () => {
    const finish = gate();
    const loop = bench.loop(async ({ data }) => {
      await finish.opened;
      return done(chunkResult(data));
    });
    const job = await bench.publish();
    await eventually('the start', () => loop.active() === 1);
    const stopping = loop.stop({ graceMs: 5_000, finishWithinMs: 3_000 });
    finish.open();
    await stopping;
    expect(loop.seen.settled[0]?.settled).toBe('done');
    expect(await broker().facts.last(factsOf(job).chunk(1, 0))).toBeDefined();
  });

  it('publishes what a handler still finishes after its signal was aborted', async () => {
    const loop = bench.loop(async ({ data, signal }) => {
      await untilAborted(signal).catch(() => undefined);
      expect(abortReason(signal)).toBe('stopping');
      return done(chunkResult(data));
    });
    const job = await bench.publish();
    await eventually('the start', () => loop.active() === 1);
    await loop.stop({ graceMs: 5_000, finishWithinMs: 50 });
    expect(loop.seen.settled[0]?.settled).toBe('done');
    expect(await broker().facts.last(factsOf(job).chunk(1, 0))).toBeDefined();
  });

  it('a failure caused by the stop burns no attempt', async () => {
    const loop = bench.loop(async ({ signal }): Promise<Outcome> => {
      await untilAborted(signal).catch(() => undefined);
      return { kind: 'retry', error: new CodedError('engine_error') };
    });
    await bench.publish();
    await eventually('the start', () => loop.active() === 1);
    await loop.stop({ graceMs: 5_000, finishWithinMs: 0 });
    expect(loop.seen.settled[0]?.settled).toBe('interrupted');
  });

  it('hands back what ignores its signal when the grace is over', async () => {
    const never = new Promise<Outcome>(() => undefined);
    const bench = await patientBench();
    const loop = bench.loop(() => never);
    const job = await bench.publish();
    await eventually('the start', () => loop.active() === 1);
    await loop.stop({ graceMs: 300, finishWithinMs: 100 });
    bench.loop(async ({ data }) => done(chunkResult(data)));
    await eventually('the result', () => broker().facts.last(factsOf(job).chunk(1, 0)));
  });

  it('takes nothing more, from the moment it is stopped', async () => {
    let runs = 0;
    const loop = bench.loop(async () => {
      runs += 1;
      return done();
    });
    const stopping = loop.stop({ graceMs: 1_000 });
    for (let count = 0; count < 10; count += 1) await bench.publish();
    await stopping;
    expect(runs).toBe(0);
    expect(await bench.left()).toBe(10);
    const pulls = await broker().api.call<{ num_waiting: number }>(
      `CONSUMER.INFO.JOBS.chunk-${bench.engine}-normal`,
    );
    expect(pulls.num_waiting).toBe(0);
  });

  it('may be stopped twice', async () => {
    const loop = bench.loop(async () => done());
    await Promise.all([loop.stop({ graceMs: 100 }), loop.stop({ graceMs: 100 })]);
    await loop.stop({ graceMs: 100 });
  });

  it('takes nothing while paused, finishes what it holds, and goes on at once when resumed', async () => {
    const finish = gate();
    let runs = 0;
    const loop = bench.loop(async () => {
      runs += 1;
      await finish.opened;
      return done();
    });
    await bench.publish();
    await eventually('the start', () => runs === 1);
    loop.pause();
    finish.open();
    await loop.idle();
    await bench.publish();
    await bench.publish();
    expect(await bench.left()).toBe(2);
    expect(runs).toBe(1);
    loop.resume();
    await eventually('the rest', () => runs === 3);
  });
});
