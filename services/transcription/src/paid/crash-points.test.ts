import { eventually } from '@earshot/testkit';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Fault, healthy } from '../../test/fake-cloud/behaviour.ts';
import { type FakeCloudProcess, startFakeCloud } from '../../test/fake-cloud/launch.ts';
import { openPaidBench, type PaidBench, type PaidWorkerOptions, textOf } from '../../test/paid-bench.ts';

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
});
afterEach(() => bench.dispose());

const billed = async () => (await cloud.bill()).length - billedBefore;

/** A worker dies while it waits for the answer to a call that the vendor has, or never got. */
async function dieWaiting(fault: Fault): Promise<void> {
  await cloud.behave({ faults: [fault] });
  const calls = (await cloud.log()).length;
  void (await bench.worker()).run();
  await eventually('the call', async () => (await cloud.log()).length > calls);
}

/** The job comes to another worker, which ends it with the right text; gives what it counted. */
async function nextWorker(options?: PaidWorkerOptions) {
  const next = await bench.worker(options);
  expect(textOf(await next.run({}, { delivery: 2 }))).toBe(bench.text);
  return next.counts;
}

describe('a worker with a lookup engine that is killed', () => {
  const afterwards = { times: { neverArrivedMs: 300 } };
  beforeEach(async () => {
    bench = await openPaidBench(cloud.url, 'lookup');
  });

  it('after its intent leaves a call that never arrived, and the next try is the only one paid for', async () => {
    await bench.dieAt({ when: 'after', object: 'intent' });
    expect(await nextWorker(afterwards)).toMatchObject({ never_arrived: 1, calls: 1, unclear: 0, double: 0 });
    expect(await billed()).toBe(1);
  });

  it('before its call is answered leaves an operation that is found', async () => {
    await dieWaiting('hang_after');
    expect(await nextWorker()).toMatchObject({ looked_up: 1, calls: 0, unclear: 0, double: 0 });
    expect(await billed()).toBe(1);
  });

  it('before it wrote the name down leaves an operation that is found', async () => {
    await bench.dieAt({ when: 'before', object: 'answer' });
    expect(await nextWorker()).toMatchObject({ looked_up: 1, calls: 0, unclear: 0, double: 0 });
    expect(await billed()).toBe(1);
  });

  it('while its operation runs leaves one that is polled', async () => {
    await cloud.behave({ operation_ms: 60_000 });
    await bench.dieAt({ when: 'after', object: 'answer' });
    await cloud.behave({ operation_ms: 0 });
    expect(await nextWorker()).toMatchObject({ looked_up: 0, calls: 0, unclear: 0 });
    expect(await billed()).toBe(1);
  });

  it('before it wrote the result down leaves an operation that is polled', async () => {
    await bench.dieAt({ when: 'before', object: 'done' });
    expect(await nextWorker()).toMatchObject({ looked_up: 0, calls: 0, unclear: 0 });
    expect(await billed()).toBe(1);
  });
});

describe('a worker with a blind engine that is killed', () => {
  const afterwards = { times: { unclearMs: 300 } };
  beforeEach(async () => {
    bench = await openPaidBench(cloud.url, 'blind');
  });

  it('after its intent leaves a call that is made once more and counted', async () => {
    await bench.dieAt({ when: 'after', object: 'intent' });
    expect(await nextWorker(afterwards)).toMatchObject({ unclear: 1, calls: 1, double: 0 });
    expect(await billed()).toBe(1);
  });

  it('before its call is answered leaves one that is made once more and counted', async () => {
    await dieWaiting('hang_after');
    expect(await nextWorker(afterwards)).toMatchObject({ unclear: 1, calls: 1, double: 0 });
    expect(await billed()).toBe(2);
  });

  it('before it wrote the result down leaves one that is made once more and counted', async () => {
    await bench.dieAt({ when: 'before', object: 'done' });
    expect(await nextWorker(afterwards)).toMatchObject({ unclear: 1, calls: 1, double: 0 });
    expect(await billed()).toBe(2);
  });

  it('again and again leaves a person to decide, after one repeat', async () => {
    await bench.dieAt({ when: 'after', object: 'intent' });
    await bench.dieAt({ when: 'before', object: 'done' }, afterwards);
    const third = await bench.worker(afterwards);
    expect(await third.run()).toMatchObject({ kind: 'give_up', error: { code: 'unclear_call' } });
    expect(await third.run()).toMatchObject({ kind: 'give_up' });
    expect(await billed()).toBe(1);
    const replayed = await third.run({ generation: 1 });
    expect(textOf(replayed)).toBe(bench.text);
    expect(await billed()).toBe(2);
  });
});

describe.each(['lookup', 'blind'] as const)('a worker with a %s engine that is killed', (engine) => {
  beforeEach(async () => {
    bench = await openPaidBench(cloud.url, engine);
  });

  it('after it wrote the result down leaves one that is read', async () => {
    await bench.dieAt({ when: 'after', object: 'done' });
    const asked = (await cloud.log()).length;
    expect(await nextWorker()).toMatchObject({ calls: 0, unclear: 0 });
    expect((await cloud.log()).length).toBe(asked);
    expect(await billed()).toBe(1);
  });

  it('after it published the fact leaves nothing to do, not even on a first delivery', async () => {
    const outcome = await (await bench.worker()).run();
    if (outcome.kind === 'done')
      for (const message of outcome.publish) await bench.broker.publishFirst(message);
    const asked = (await cloud.log()).length;
    expect(await (await bench.worker()).run()).toEqual({ kind: 'done', publish: [] });
    expect((await cloud.log()).length).toBe(asked);
    expect(await billed()).toBe(1);
  });
});
