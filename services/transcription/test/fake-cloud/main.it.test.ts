import { afterAll, beforeAll, expect, it } from 'vitest';
import { openWorkerBench, type WorkerBench } from './worker-bench.ts';

let bench: WorkerBench;
beforeAll(async () => {
  bench = await openWorkerBench({ free: 100 });
});
afterAll(() => bench?.dispose());

it('a worker process transcribes with the engines of the vendor, and needs no speech model', async () => {
  await bench.worker();
  const job = await bench.submit('free');
  const { segments, engine, speech_ms } = await bench.fact(job);
  expect({ engine, speech_ms }).toEqual({ engine: 'free', speech_ms: 1000 });
  expect(segments).toMatchObject([
    { start_ms: 0, end_ms: 1000, text: expect.stringMatching(/^(\w{8} ?){4}$/) },
  ]);
  expect(await bench.cloud.log()).toMatchObject([{ kind: 'free', billed: false }]);
});
