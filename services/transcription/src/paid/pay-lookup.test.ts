import { SAMPLE_RATE, writeWav } from '@earshot/audio';
import { WorkAborted } from '@earshot/messaging';
import { eventually } from '@earshot/testkit';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Fault, healthy } from '../../test/fake-cloud/behaviour.ts';
import { type FakeCloudProcess, startFakeCloud } from '../../test/fake-cloud/launch.ts';
import { factOf, openPaidBench, type PaidBench, textOf } from '../../test/paid-bench.ts';

let cloud: FakeCloudProcess;
let bench: PaidBench;
let linesBefore: number;

beforeAll(async () => {
  cloud = await startFakeCloud();
});
afterAll(() => cloud.dispose());
beforeEach(async () => {
  await cloud.behave(healthy);
  linesBefore = (await cloud.log()).length;
  bench = await openPaidBench(cloud.url, 'lookup');
});
afterEach(() => bench.dispose());

const asked = async (kind: string) =>
  (await cloud.log()).slice(linesBefore).filter((line) => line.kind === kind);
const billed = async () => (await asked('call')).filter((line) => line.billed).length;
const charged = async () => (await asked('call')).reduce((sum, { billed_ms }) => sum + billed_ms, 0);
/** Resolves when a search for the first call finds it. */
const shown = async () => {
  const { output_uri } = (await bench.written(1, 'intent')) as { output_uri: string };
  const url = `${cloud.url}/operations?${new URLSearchParams({ output_uri })}`;
  await eventually('the operation to show', async () => {
    const { operations } = (await (await fetch(url)).json()) as { operations: string[] };
    return operations.length > 0;
  });
};
const soon = { times: { neverArrivedMs: 300 } };

describe('a paid call that can be looked up', () => {
  it('is made once by two workers that race for it', async () => {
    await cloud.behave({ answer_ms: 100 });
    const workers = await Promise.all([bench.worker(), bench.worker()]);
    const outcomes = await Promise.all(workers.map((worker) => worker.run()));
    expect(outcomes.map(textOf)).toEqual([bench.text, bench.text]);
    expect(await billed()).toBe(1);
    expect(workers.map(({ counts }) => counts.double)).toEqual([0, 0]);
  });

  it('is found when its answer is lost, also when the vendor shows it late', async () => {
    await cloud.behave({ faults: ['lose_reply'], visible_after_ms: 200 });
    const worker = await bench.worker();
    expect(textOf(await worker.run())).toBe(bench.text);
    expect(await billed()).toBe(1);
    expect((await asked('find')).length).toBeGreaterThan(1);
    expect(worker.counts).toMatchObject({ looked_up: 1, never_arrived: 0, double: 0 });
  });

  it('whose operation may run for hours gives its slot back, and is come back for', async () => {
    await cloud.behave({ operation_ms: 60_000 });
    const worker = await bench.worker({ times: { slowPauseMs: 40_000 } });
    const outcome = await worker.run({ lane: 'low' });
    expect(outcome.kind === 'later' && outcome.after_ms).toBeGreaterThanOrEqual(40_000);
    expect(await asked('poll')).toHaveLength(1);
    await cloud.behave({ operation_ms: 0 });
    expect(textOf(await worker.run({ lane: 'low' }))).toBe(bench.text);
    expect(await billed()).toBe(1);
  });

  it('that never arrived is a failed try, after all the time it may take', async () => {
    await cloud.behave({ faults: ['drop'] });
    const worker = await bench.worker(soon);
    expect(await worker.run()).toMatchObject({ kind: 'later' });
    expect(await bench.written(1, 'answer')).toMatchObject({ refused: 'never_arrived' });
    expect(textOf(await worker.run())).toBe(bench.text);
    expect(await billed()).toBe(1);
  });

  it('that never arrived and turns up before the next one is made gives the result', async () => {
    await cloud.behave({ faults: ['lose_reply'], visible_after_ms: 800 });
    const worker = await bench.worker(soon);
    expect(await worker.run()).toMatchObject({ kind: 'later' });
    expect(await bench.written(1, 'answer')).toMatchObject({ refused: 'never_arrived' });
    await shown();
    expect(textOf(await worker.run())).toBe(bench.text);
    expect(worker.counts).toMatchObject({ calls: 1, never_arrived: 1, found_late: 1, double: 0 });
    expect(await billed()).toBe(1);
    expect(textOf(await worker.run())).toBe(bench.text);
  });

  it('that never arrived and turns up after the next one was made is canceled and counted', async () => {
    await cloud.behave({ faults: ['lose_reply'], visible_after_ms: 800, operation_ms: 60_000 });
    const worker = await bench.worker(soon);
    expect(await worker.run()).toMatchObject({ kind: 'later' });
    const second = worker.run();
    await eventually('the second call', async () => (await billed()) === 2);
    await shown();
    await cloud.behave({ operation_ms: 0 });
    expect(textOf(await second)).toBe(bench.text);
    expect(worker.counts).toMatchObject({ calls: 2, found_late: 0, double: 1, canceled: 1 });
    const [first] = await asked('call');
    expect(await asked('cancel')).toMatchObject([{ operation: first?.operation }]);
  });

  it('that never arrived and turns up while another worker’s next one runs does not take its place', async () => {
    await cloud.behave({ faults: ['lose_reply'], visible_after_ms: 800, operation_ms: 60_000 });
    expect(await (await bench.worker(soon)).run()).toMatchObject({ kind: 'later' });
    await bench.dieAt({ when: 'after', object: 'answer' });
    await shown();
    await cloud.behave({ operation_ms: 0 });
    const next = await bench.worker();
    expect(textOf(await next.run({}, { delivery: 2 }))).toBe(bench.text);
    expect(next.counts).toMatchObject({ calls: 0, found_late: 0, double: 1, canceled: 1 });
    expect(await bench.written(1, 'done')).toBeUndefined();
    expect(await bench.written(2, 'done')).toMatchObject({ billed_ms: 1000 });
  });

  it('is cut with its connection at its deadline', async () => {
    await cloud.behave({ faults: ['hang'] });
    const worker = await bench.worker({ times: { callMs: 100, neverArrivedMs: 300 } });
    expect(await worker.run()).toMatchObject({ kind: 'retry', error: { code: 'engine_error' } });
    await eventually('the connection to close', async () => (await cloud.stats()).in_flight === 0);
    expect(await bench.written(1, 'answer')).toMatchObject({ refused: 'never_arrived' });
  });

  it('is not given up on while the vendor cannot be asked, and time passes for it meanwhile', async () => {
    await bench.dieAt({ when: 'after', object: 'intent' });
    await cloud.behave({ down: true });
    const worker = await bench.worker(soon);
    const startedAt = performance.now();
    await eventually('the time to be over', async () => {
      expect(await worker.run()).toMatchObject({ kind: 'later' });
      return performance.now() - startedAt > 400;
    });
    expect(await bench.written(1, 'answer')).toBeUndefined();
    await cloud.behave({ down: false });
    expect(textOf(await worker.run())).toBe(bench.text);
    // Once until it counts as never arrived, and once more after the next one.
    expect(await asked('find')).toHaveLength(2);
  });

  it('that finds nobody there was not made, and costs no attempt', async () => {
    await cloud.behave({ down: true });
    const worker = await bench.worker();
    expect(await worker.run()).toMatchObject({ kind: 'later' });
    expect(await bench.written(1, 'answer')).toMatchObject({ refused: 'unavailable' });
    await cloud.behave({ down: false });
    expect(textOf(await worker.run())).toBe(bench.text);
    expect(worker.counts.looked_up).toBe(0);
  });

  it('that is refused is a failed attempt, and the next try is another call', async () => {
    await cloud.behave({ faults: ['refuse'] });
    const worker = await bench.worker();
    expect(await worker.run()).toMatchObject({ kind: 'retry', error: { code: 'engine_error' } });
    expect(textOf(await worker.run({ attempt: 2 }))).toBe(bench.text);
    expect(await bench.written(1, 'answer')).toMatchObject({ refused: 'engine_error' });
    expect(await billed()).toBe(1);
  });

  it('that meets a used up quota waits as long as the vendor says, without an attempt', async () => {
    await cloud.behave({ faults: ['quota'], retry_after_s: 7 });
    const worker = await bench.worker();
    const outcome = await worker.run();
    expect(outcome).toMatchObject({ kind: 'later', after_ms: expect.any(Number) });
    expect(outcome.kind === 'later' && outcome.after_ms).toBeGreaterThanOrEqual(7000);
    expect(textOf(await worker.run())).toBe(bench.text);
    expect(await billed()).toBe(1);
  });

  it('that meets it again and again comes back ever later, up to a quarter of an hour', async () => {
    await cloud.behave({ faults: Array.from({ length: 60 }, () => 'quota' as const), retry_after_s: 60 });
    const worker = await bench.worker();
    const waits: number[] = [];
    for (let asked = 0; asked < 40; asked += 1) {
      const outcome = await worker.run();
      waits.push(outcome.kind === 'later' ? outcome.after_ms : Number.NaN);
    }
    const isWithin = (ms: number, least: number) => ms >= least && ms <= least * 1.25;
    expect(waits.map((ms, n) => isWithin(ms, Math.min(60_000 * (1 + n / 2), 900_000)))).toEqual(
      waits.map(() => true),
    );
    expect(await billed()).toBe(0);
  });

  it('tells in its fact what the vendor charged, also when another worker was charged', async () => {
    expect(factOf(await (await bench.worker()).run()).billed_ms).toBe(1000);
    expect(factOf(await (await bench.worker()).run({}, { delivery: 2 })).billed_ms).toBe(1000);
    expect(await bench.written(1, 'done')).toMatchObject({ billed_ms: 1000 });
    expect(await charged()).toBe(1000);
  });

  it('tells what its failed tries were charged too', async () => {
    await cloud.behave({ faults: ['fail'] });
    const worker = await bench.worker();
    await worker.run();
    expect(factOf(await worker.run({ attempt: 2 })).billed_ms).toBe(2000);
    expect(await charged()).toBe(2000);
  });

  it('of silence is not made', async () => {
    const silent = { key: 'acme/silence', end_ms: 1000 };
    await bench.storage.put(silent.key, writeWav(new Int16Array(SAMPLE_RATE), 1, SAMPLE_RATE));
    const fact = factOf(await (await bench.worker()).run(silent));
    expect(fact).toMatchObject({ segments: [] });
    expect(fact).not.toHaveProperty('billed_ms');
    expect(await asked('call')).toEqual([]);
  });
});

describe('an operation', () => {
  it.each<[Fault, string]>([['fail', 'engine_error']])(
    'that ends with %s is another try, paid again',
    async (fault, code) => {
      await cloud.behave({ faults: [fault] });
      const worker = await bench.worker();
      expect(await worker.run()).toMatchObject({ kind: 'retry', error: { code } });
      expect(textOf(await worker.run({ attempt: 2 }))).toBe(bench.text);
      expect(await billed()).toBe(2);
    },
  );

  it('that failed for good is not paid again, until somebody replays the chunk', async () => {
    await cloud.behave({ faults: ['fail_for_good'] });
    const worker = await bench.worker();
    const failed = { kind: 'give_up', error: { code: 'corrupt' } };
    expect(await worker.run()).toMatchObject(failed);
    expect(await worker.run({}, { delivery: 2 })).toMatchObject(failed);
    expect(await billed()).toBe(1);
    expect(textOf(await worker.run({ generation: 1 }))).toBe(bench.text);
    expect(await billed()).toBe(2);
  });

  it('that outlives three workers costs neither an attempt nor a second call', async () => {
    await cloud.behave({ operation_ms: 60_000 });
    await bench.dieAt({ when: 'after', object: 'answer' });
    for (const delivery of [2, 3, 4]) {
      const worker = await bench.worker({ deadlineMs: 50 });
      expect(await worker.run({}, { delivery })).toMatchObject({ kind: 'later' });
    }
    await cloud.behave({ operation_ms: 0 });
    expect(textOf(await (await bench.worker()).run())).toBe(bench.text);
    expect(await billed()).toBe(1);
  });

  it('of a transcript that is canceled is canceled too', async () => {
    await cloud.behave({ operation_ms: 60_000 });
    const cancel = new AbortController();
    const worker = await bench.worker();
    const running = worker.run({}, { signal: cancel.signal });
    await eventually('the operation to be polled', async () => (await asked('poll')).length > 0);
    cancel.abort(new WorkAborted('canceled'));
    expect(await running).toEqual({ kind: 'interrupted' });
    const [placed] = await asked('call');
    expect(await asked('cancel')).toMatchObject([{ operation: placed?.operation }]);
    expect(worker.counts).toMatchObject({ canceled: 1, double: 0 });
  });

  it('that cannot be polled for a while is no failed attempt', async () => {
    await bench.dieAt({ when: 'after', object: 'answer' });
    const worker = await bench.worker();
    await cloud.behave({ down: true });
    expect(await worker.run({}, { delivery: 2 })).toMatchObject({ kind: 'later' });
    await cloud.behave({ down: false });
    expect(textOf(await worker.run({}, { delivery: 3 }))).toBe(bench.text);
    expect(await billed()).toBe(1);
  });
});

describe('a worker that stops', () => {
  it('first writes down the name of the call it is making', async () => {
    await cloud.behave({ answer_ms: 200, operation_ms: 60_000 });
    const stop = new AbortController();
    const stopping = (await bench.worker()).run({}, { signal: stop.signal });
    await eventually('the call', async () => (await billed()) === 1);
    stop.abort(new WorkAborted('stopping'));
    expect(await stopping).toEqual({ kind: 'interrupted' });
    expect(await bench.written(1, 'answer')).toEqual({ operation: expect.any(String) });
    expect(await asked('cancel')).toEqual([]);
    await cloud.behave({ operation_ms: 0 });
    const next = await bench.worker();
    expect(textOf(await next.run({}, { delivery: 2 }))).toBe(bench.text);
    expect(next.counts).toMatchObject({ calls: 0, looked_up: 0 });
  });
});

describe('a zombie that comes back after its lease was lost', () => {
  it('with a name that was found meanwhile changes nothing', async () => {
    const zombie = await bench.dieAt({ when: 'before', object: 'answer' });
    expect(textOf(await (await bench.worker()).run({}, { delivery: 2 }))).toBe(bench.text);
    zombie.loseLease();
    expect(await zombie.revive()).toEqual({ kind: 'interrupted' });
    expect(zombie.counts).toMatchObject({ double: 0, canceled: 0 });
    expect(await billed()).toBe(1);
  });

  it('with a name that never became visible cancels its operation, and both are counted', async () => {
    await cloud.behave({ visible_after_ms: 60_000, operation_ms: 60_000 });
    const zombie = await bench.dieAt({ when: 'before', object: 'answer' });
    await cloud.behave({ visible_after_ms: 0 });
    const next = bench.worker(soon).then((worker) => worker.run({}, { delivery: 2 }));
    await eventually('the second try', async () => (await billed()) === 2);
    zombie.loseLease();
    expect(await zombie.revive()).toEqual({ kind: 'interrupted' });
    expect(zombie.counts).toMatchObject({ double: 1, canceled: 1 });
    const [first] = await asked('call');
    expect(await asked('cancel')).toMatchObject([{ operation: first?.operation }]);
    await cloud.behave({ operation_ms: 0 });
    expect(textOf(await next)).toBe(bench.text);
  });

  it('before its call makes none: somebody else has the chunk', async () => {
    const zombie = await bench.dieAt({ when: 'after', object: 'intent' }, { times: { callWithinMs: 50 } });
    expect(textOf(await (await bench.worker(soon)).run({}, { delivery: 2 }))).toBe(bench.text);
    zombie.loseLease();
    expect(await zombie.revive()).toEqual({ kind: 'interrupted' });
    expect(await billed()).toBe(1);
    expect(zombie.counts.calls).toBe(0);
  });

  it('before its call, while nobody else came, gives its try back and makes the next', async () => {
    const stopped = await bench.dieAt({ when: 'after', object: 'intent' }, { times: { callWithinMs: 500 } });
    const wakeAt = performance.now() + 500;
    await eventually('its time to be over', () => performance.now() > wakeAt);
    await stopped.revive();
    expect(await bench.written(1, 'answer')).toMatchObject({ refused: 'not_called' });
    expect(textOf(await (await bench.worker()).run())).toBe(bench.text);
    expect(await billed()).toBe(1);
  });
});
