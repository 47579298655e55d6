import { afterAll, beforeAll, expect, it } from 'vitest';
import { measured, size } from './chaos-run.ts';
import { FaultWorld } from './fault-world.ts';
import { highAmongLow, lowAmongHigh } from './lanes.ts';

const CHUNK_MS = 2_000;
let world: FaultWorld;
beforeAll(async () => {
  world = await FaultWorld.start({ workers: 2, ackWaitSeconds: 15 });
});
afterAll(() => world?.close());

it('under an endless stream of high jobs a low one starts within 60 s', async (context) => {
  const times = await lowAmongHigh(world, { count: size(5, 20), answerMs: CHUNK_MS });
  const { max } = measured(context, 'a low job under an endless stream of high ones', 'max ≤ 60 s', times);
  expect(max).toBeLessThanOrEqual(60_000);
});

it("a high job passes 1,000 waiting low ones and starts within one chunk's time", async (context) => {
  const times = await highAmongLow(world, { count: size(20, 50), waiting: 1_000, answerMs: CHUNK_MS });
  const limit = `p99 ≤ one chunk (${CHUNK_MS / 1_000} s)`;
  const { p99 } = measured(context, 'a high job past 1,000 low ones', limit, times);
  // What a job takes beside the engine belongs to a chunk's time: reading its sound and storing its fact.
  expect(p99).toBeLessThanOrEqual(CHUNK_MS + 500);
});
