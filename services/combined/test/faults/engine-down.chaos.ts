import { afterAll, beforeAll, expect, it } from 'vitest';
import { measured, size } from './chaos-run.ts';
import { type EngineDown, engineDown } from './engine-down.ts';
import { FaultWorld } from './fault-world.ts';

let world: FaultWorld;
beforeAll(async () => {
  world = await FaultWorld.start({ workers: 2, ackWaitSeconds: 15 });
});
afterAll(() => world?.close());

it('an engine down for minutes: no attempt burnt, no dead letter, work resumes within 10 s of its return', async (context) => {
  const seen: EngineDown[] = [];
  for (const downMs of [size(30_000, 300_000), 10_000, 10_000]) {
    seen.push(await engineDown(world, { downMs, jobs: 6 }));
  }
  const times = seen.map(({ resumedMs }) => resumedMs);
  const { max } = measured(context, 'return of an engine to work going on', 'max ≤ 10 s', times);
  expect(max).toBeLessThanOrEqual(10_000);
  for (const { attempts, gaveUps, states } of seen) {
    expect(attempts).toBe(1);
    expect(gaveUps).toBe(0);
    expect(new Set(states)).toEqual(new Set(['completed']));
  }
});
