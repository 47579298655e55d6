import { seededRandom } from '@earshot/testkit';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { expectPaidOnce } from './expect-paid.ts';
import { FaultWorld } from './fault-world.ts';
import { type PaidBook, workPaid } from './paid-work.ts';

const QUOTA = 8;
let world: FaultWorld;
let book: PaidBook;

beforeAll(async () => {
  world = await FaultWorld.start({
    workers: 3,
    env: { EARSHOT_ENGINES: 'lookup', EARSHOT_MAX_ACK_PENDING: `lookup=${QUOTA}`, WORKER_CONCURRENCY: '4' },
  });
  book = {
    bill: () => world.cloud.bill(),
    peak: async () => (await world.cloud.stats()).peaks.call ?? 0,
  };
});
afterAll(() => world?.close());

it('pays once for every chunk, while workers are killed and answers are lost', async () => {
  const faults = Array.from({ length: 40 }, (_, n) =>
    n % 5 === 1 ? 'lose_reply' : n % 7 === 2 ? 'quota' : 'none',
  );
  await world.cloud.behave({ operation_ms: 400, faults: faults as never });
  const work = await workPaid(world, book, { recordings: 4, seconds: 40, kills: 3, random: seededRandom(1) });
  expect(work.chunks).toBe(40);
  expectPaidOnce(work, QUOTA);
});
