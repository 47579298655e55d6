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
  const times = await lowAmongHigh(world, { count: size(3, 20), answerMs: CHUNK_MS });
  const { max } = measured(context, 'a low job under an endless stream of high ones', 'max ≤ 60 s', times);
  expect(max).toBeLessThanOrEqual(60_000);
});

it("a high job passes 1,000 waiting low ones and starts within one chunk's time", async (context) => {
  const asked = { count: size(20, 50), waiting: 1_000, answerMs: CHUNK_MS };
  const { times, chunkMs } = await highAmongLow(world, asked);
  const limit = `max ≤ one chunk (${(chunkMs / 1_000).toFixed(2)} s) and a moment`;
  const { max } = measured(context, 'a high job past 1,000 low ones', limit, times);
  // A worker needs a moment to store what it has and to ask for more, longer on a busy machine; never a second turn.
  expect(max).toBeLessThanOrEqual(1.5 * chunkMs);
});
