import { seededRandom } from '@earshot/testkit';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { expectPaidOnce } from './expect-paid.ts';
import { FaultWorld } from './fault-world.ts';
import { bookOf, lostReplies } from './google-book.ts';
import { workPaid } from './paid-work.ts';

const QUOTA = 8;
let world: FaultWorld;

beforeAll(async () => {
  const paid = { EARSHOT_ENGINES: 'google', EARSHOT_MAX_ACK_PENDING: `google=${QUOTA}` };
  world = await FaultWorld.start({
    ...{ workers: 3, google: true, env: { ...paid, WORKER_CONCURRENCY: '4' } },
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
});
