import { once } from 'node:events';
import type { ChunkJob } from '@earshot/contracts';
import { storageKeys } from '@earshot/storage';
import { eventually } from '@earshot/testkit';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { healthy } from './fake-cloud/behaviour.ts';
import { openWorkerBench, type WorkerBench } from './fake-cloud/worker-bench.ts';

/** A cap of 5 is 1 for the lane high, 3 for normal and 1 for low, whose calls are slow batches outside of any quota. */
const caps = { lookup: 5, blind: 100 };
const times = { neverArrivedMs: 1_000, unclearMs: 1_000, lookEveryMs: 100, pollEveryMs: 50 };

let bench: WorkerBench;
beforeAll(async () => {
  bench = await openWorkerBench(caps);
});
afterAll(() => bench?.dispose());
beforeEach(() => bench.cloud.behave(healthy));

const billed = async ({ transcript_id }: ChunkJob) =>
  (await bench.cloud.bill()).filter(({ key }) => key.includes(transcript_id)).length;
const seen = (job: ChunkJob) =>
  eventually('the call', async () =>
    (await bench.cloud.log()).some(({ key }) => key.includes(job.transcript_id)),
  );
const named = ({ tenant_id, transcript_id, engine }: ChunkJob) =>
  eventually('the name of the operation', () =>
    bench.storage.stat(`${storageKeys(tenant_id, transcript_id).call(1, 0, engine, 1)}/answer`),
  );

it('calls in flight at the vendor never pass the cap of their lanes, however many workers there are', async () => {
  const workers = await Promise.all([bench.worker(times), bench.worker(times)]);
  const finishAll = async (wishes: Partial<ChunkJob>[], atOnce: number) => {
    await bench.cloud.behave({ operation_ms: 60_000 });
    const jobs = await Promise.all(wishes.map((wish) => bench.submit('lookup', wish)));
    await eventually(
      'the caps to be used',
      async () => (await bench.cloud.stats()).in_flight === atOnce,
      30_000,
    );
    await bench.cloud.behave({ operation_ms: 50 });
    await Promise.all(jobs.map((job) => bench.fact(job)));
    expect((await bench.cloud.stats()).peaks.call).toBe(atOnce);
  };
  await finishAll(
    Array.from({ length: 6 }, () => ({ lane: 'normal' })),
    3,
  );
  await finishAll(
    Array.from({ length: 12 }, (_, n) => ({ lane: n % 2 === 0 ? 'high' : 'normal' })),
    4,
  );
  expect((await bench.cloud.bill()).length).toBe(18);
  await Promise.all(workers.map((worker) => worker.kill()));
});

it('a killed worker leaves its paid calls to the next one, which pays for none of them again', async () => {
  const killed = await bench.worker(times);
  await bench.cloud.behave({ operation_ms: 60_000, faults: ['hang'] });
  const lost = await bench.submit('lookup');
  await seen(lost);
  await bench.cloud.behave({ faults: ['hang_after'] });
  const unnamed = await bench.submit('lookup');
  await seen(unnamed);
  const running = await bench.submit('lookup');
  await named(running);
  await bench.cloud.behave({ faults: ['hang_after'] });
  const blind = await bench.submit('blind');
  await seen(blind);
  await killed.kill();
  await bench.cloud.behave(healthy);
  const next = await bench.worker(times);
  const jobs = [lost, unnamed, running, blind];
  const facts = await Promise.all(jobs.map((job) => bench.fact(job)));
  expect(facts.map(({ segments }) => segments[0]?.text)).toEqual(
    facts.map(() => expect.stringMatching(/^(\w{8} ?){4}$/)),
  );
  expect(facts.map(({ attempt }) => attempt)).toEqual([1, 1, 1, 1]);
  expect(await Promise.all(jobs.map(billed))).toEqual([1, 1, 1, 2]);
  expect(next.lines.filter((line) => line.includes('nobody knows whether'))).toHaveLength(1);

  await bench.cloud.behave({ answer_ms: 3_500, operation_ms: 60_000 });
  const stopping = await bench.submit('lookup');
  await seen(stopping);
  next.child.kill('SIGTERM');
  expect(await once(next.child, 'exit')).toEqual([0, null]);
  await named(stopping);
});
