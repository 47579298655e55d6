import { seededRandom } from '@earshot/testkit';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { expectPaidOnce } from './expect-paid.ts';
import { FaultWorld } from './fault-world.ts';
import { bookOf, lostReplies } from './google-book.ts';
import { outliveWorkers } from './outlive.ts';
import { workPaid } from './paid-work.ts';
import { quotaGap } from './quota.ts';

// Behaviour, on whatever machine; the large run is that of `npm run test:chaos -- --only google`.
const QUOTA = 8;
let world: FaultWorld;

beforeAll(async () => {
  const paid = { EARSHOT_ENGINES: 'google', EARSHOT_MAX_ACK_PENDING: `google=${QUOTA}` };
  world = await FaultWorld.start({
    ...{ workers: 3, google: {}, env: { ...paid, WORKER_CONCURRENCY: '4' } },
    // Of a vendor that shows every call at once.
    paidTimes: { neverArrivedMs: 5_000, lookEveryMs: 500, pollEveryMs: 200 },
  });
});
afterAll(() => world?.close());

it('pays Google once for every chunk, while workers are killed and answers are lost', async () => {
  const random = seededRandom(1);
  world.speech?.behave({ operationMs: 400, faults: lostReplies(random, 40) });
  const work = await workPaid(world, bookOf(world), { recordings: 4, seconds: 40, kills: 3, random });
  expect(work.chunks).toBe(40);
  expectPaidOnce(work, QUOTA);
}, 120_000);

it('waits without a failed attempt while the quota is used up', async () => {
  world.speech?.behave({ operationMs: 400, faults: [], retryAfterMs: 1_000 });
  const gap = await quotaGap(world, { recordings: 3, seconds: 20, gapMs: 6_000 });
  expect(new Set(gap.states)).toEqual(new Set(['completed']));
  expect(gap.attempts).toBe(1);
  expect(gap.gaveUps).toBe(0);
  expect(gap.peak).toBeLessThanOrEqual(QUOTA);
  expect(gap.refused).toBeGreaterThan(0);
}, 120_000);

it('pays once for an operation that outlives three workers', async () => {
  expect(await outliveWorkers(world, 3)).toEqual({ status: 'completed', killed: 3, paid: 1, attempts: 1 });
}, 180_000);
