import { seededRandom } from '@earshot/testkit';
import { afterEach, expect, it } from 'vitest';
import { measured, seed, size } from './chaos-run.ts';
import { FaultWorld } from './fault-world.ts';
import { killWorkers } from './worker-kill.ts';

const RECORDINGS = 5;
let world: FaultWorld;
afterEach(() => world?.close());

it.for([
  { ackWaitSeconds: 15, limit: 'p50 ≤ 14 s, p99 ≤ 20 s', p50: 14_000, p99: 20_000, kills: size(20, 50) },
  { ackWaitSeconds: 5, limit: 'p99 ≤ 7 s', p50: 7_000, p99: 7_000, kills: size(25, 50) },
])(
  'kill -9 of a worker at ack_wait $ackWaitSeconds s: $limit, at most one chunk redone',
  async (given, context) => {
    const ackWaitMs = given.ackWaitSeconds * 1_000;
    world = await FaultWorld.start({ workers: 2 * RECORDINGS, ackWaitSeconds: given.ackWaitSeconds });
    const kills = await killWorkers(world, {
      recordings: RECORDINGS,
      killsEach: given.kills / RECORDINGS,
      ackWaitMs,
      random: seededRandom(seed()),
    });
    const name = `worker kill -9 to the job elsewhere, ack_wait ${given.ackWaitSeconds} s`;
    const figures = measured(context, name, given.limit, kills.times);
    expect(figures.n).toBe(given.kills);
    expect(figures.p50).toBeLessThanOrEqual(given.p50);
    expect(figures.p99).toBeLessThanOrEqual(given.p99);
    expect(kills.redone).toBeLessThanOrEqual(given.kills);
    expect(new Set(kills.runsOfOthers)).toEqual(new Set([1]));
  },
);
