import { WorkAborted } from '@earshot/messaging';
import { eventually } from '@earshot/testkit';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Fault, healthy } from '../../test/fake-cloud/behaviour.ts';
import { type FakeCloudProcess, startFakeCloud } from '../../test/fake-cloud/launch.ts';
import { factOf, openPaidBench, type PaidBench, textOf } from '../../test/paid-bench.ts';

let cloud: FakeCloudProcess;
let bench: PaidBench;
let billedBefore: number;

beforeAll(async () => {
  cloud = await startFakeCloud();
});
afterAll(() => cloud.dispose());
beforeEach(async () => {
  await cloud.behave(healthy);
  billedBefore = (await cloud.bill()).length;
  bench = await openPaidBench(cloud.url, 'blind');
});
afterEach(() => bench.dispose());

const billed = async () => (await cloud.bill()).length - billedBefore;

describe('a paid call that leaves no trace', () => {
  it('is made once by two workers that race for it', async () => {
    await cloud.behave({ answer_ms: 100 });
    const workers = await Promise.all([bench.worker(), bench.worker()]);
    const outcomes = await Promise.all(workers.map((worker) => worker.run()));
    expect(outcomes.map(textOf)).toEqual([bench.text, bench.text]);
    expect(outcomes.map((outcome) => factOf(outcome).billed_ms)).toEqual([1000, 1000]);
    expect(await billed()).toBe(1);
  });

  it.each<[Fault, string, number]>([
    ['lose_reply', 'later', 2],
    ['drop', 'later', 1],
    ['error', 'retry', 1],
  ])('and ends with %s is counted and made once more', async (fault, kind, charged) => {
    await cloud.behave({ faults: [fault] });
    const worker = await bench.worker();
    expect(await worker.run()).toMatchObject({ kind });
    expect(textOf(await worker.run())).toBe(bench.text);
    expect(await billed()).toBe(charged);
    expect(worker.counts).toMatchObject({ calls: 2, unclear: 1 });
  });

  it('is made twice at most: then a person decides', async () => {
    await cloud.behave({ faults: ['lose_reply', 'lose_reply'] });
    const worker = await bench.worker();
    expect(await worker.run()).toMatchObject({ kind: 'later' });
    expect(await worker.run()).toMatchObject({ kind: 'later' });
    expect(await worker.run()).toMatchObject({ kind: 'give_up', error: { code: 'unclear_call' } });
    expect(await billed()).toBe(2);
    expect(worker.counts).toMatchObject({ calls: 2, unclear: 2 });
  });

  it('is cut with its connection at the deadline of the chunk', async () => {
    await cloud.behave({ faults: ['hang'] });
    const worker = await bench.worker({ deadlineMs: 100 });
    expect(await worker.run()).toMatchObject({ kind: 'retry' });
    await eventually('the connection to close', async () => (await cloud.stats()).in_flight === 0);
  });

  it.each<[Fault, string]>([
    ['refuse', 'retry'],
    ['quota', 'later'],
  ])('is clear when the vendor says %s: nothing was paid', async (fault, kind) => {
    await cloud.behave({ faults: [fault] });
    const worker = await bench.worker();
    expect(await worker.run()).toMatchObject({ kind });
    expect(textOf(await worker.run())).toBe(bench.text);
    expect(await billed()).toBe(1);
    expect(worker.counts.unclear).toBe(0);
  });

  it('is clear when nobody is there: it was not made', async () => {
    await cloud.behave({ down: true });
    const worker = await bench.worker();
    for (const delivery of [1, 2, 3])
      expect(await worker.run({}, { delivery })).toMatchObject({ kind: 'later' });
    await cloud.behave({ down: false });
    expect(textOf(await worker.run())).toBe(bench.text);
    expect(worker.counts.unclear).toBe(0);
  });
});

describe('a worker that stops', () => {
  it('keeps the result of the call it is making', async () => {
    await cloud.behave({ answer_ms: 200 });
    const stop = new AbortController();
    const stopping = (await bench.worker()).run({}, { signal: stop.signal });
    await eventually('the call', async () => (await billed()) === 1);
    stop.abort(new WorkAborted('stopping'));
    await stopping;
    expect(textOf(await (await bench.worker()).run({}, { delivery: 2 }))).toBe(bench.text);
    expect(await billed()).toBe(1);
  });
});

describe('a zombie that comes back after its lease was lost', () => {
  it('before its call makes none: it is too late, and somebody else made one', async () => {
    const zombie = await bench.dieAt({ when: 'after', object: 'intent' }, { times: { callWithinMs: 50 } });
    const hasty = { times: { unclearMs: 100 } };
    expect(textOf(await (await bench.worker(hasty)).run({}, { delivery: 2 }))).toBe(bench.text);
    zombie.loseLease();
    expect(await zombie.revive()).toEqual({ kind: 'interrupted' });
    expect(zombie.counts.calls).toBe(0);
    expect(await billed()).toBe(1);
  });

  it('with a result leaves it where the next delivery reads it, and the double call is counted', async () => {
    const zombie = await bench.dieAt({ when: 'before', object: 'done' });
    const hasty = { times: { unclearMs: 100 } };
    expect(textOf(await (await bench.worker(hasty)).run({}, { delivery: 2 }))).toBe(bench.text);
    zombie.loseLease();
    await zombie.revive();
    expect(zombie.counts).toMatchObject({ double: 1 });
    expect(await bench.written(1, 'done')).toMatchObject({ result: expect.any(Array) });
    expect(await billed()).toBe(2);
  });
});
