import { done } from '@earshot/jobs';
import type { Broker } from '@earshot/messaging';
import { JobBench } from './job-bench.ts';
import { chunkResult, eventually, factsOf } from './support.ts';

/** Publishes a job, takes it, and waits for the fact that it led to: all that a worker does with a broker. */
export async function jobThrough(broker: Broker): Promise<void> {
  const bench = await new JobBench(() => broker).start();
  const loop = bench.loop(async ({ data }) => done(chunkResult(data)));
  const job = await bench.publish();
  await eventually('the fact', () => broker.facts.last(factsOf(job).chunk(1, 0)));
  await loop.idle();
  await bench.stop();
}
