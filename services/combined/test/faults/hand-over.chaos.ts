import { afterAll, beforeAll, expect, it } from 'vitest';
import { measured, size } from './chaos-run.ts';
import { FaultWorld } from './fault-world.ts';
import { handOver } from './hand-over.ts';

const AT_ONCE = 5;
let world: FaultWorld;
beforeAll(async () => {
  world = await FaultWorld.start({ workers: 2 * AT_ONCE, ackWaitSeconds: 15 });
});
afterAll(() => world?.close());

it('SIGTERM: running work is elsewhere within 5 s, no attempt burnt, no pull after 100 ms, exit 0', async (context) => {
  const seen = [];
  for (let round = 0; round < size(2, 10); round += 1) seen.push(await handOver(world, AT_ONCE));
  const times = seen.flatMap((one) => one.times);
  const { max } = measured(context, 'SIGTERM to the job elsewhere', 'max ≤ 5 s', times);
  const pulls = seen.flatMap(({ lastPulls }) => lastPulls).map((ms) => Math.max(0, ms));
  const lastPull = measured(context, 'SIGTERM to the last pull', 'max ≤ 0.1 s', pulls);
  expect(max).toBeLessThanOrEqual(5_000);
  expect(lastPull.max).toBeLessThanOrEqual(100);
  for (const { ends } of seen) for (const end of ends) expect(end).toEqual({ code: 0, signal: null });
  const ids = seen.flatMap(({ transcripts }) => transcripts);
  const runs = world.chunkRuns(({ transcript_id }) => ids.includes(transcript_id));
  expect(runs.every(({ attempt }) => attempt === 1)).toBe(true);
});
