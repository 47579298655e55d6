import { seededRandom } from '@earshot/testkit';
import { afterEach, expect, it } from 'vitest';
import { isFull, measured, seed, size } from './chaos-run.ts';
import { expectPaidOnce } from './expect-paid.ts';
import { FaultWorld } from './fault-world.ts';
import { bookOf, lostReplies } from './google-book.ts';
import { workPaid } from './paid-work.ts';
import { quotaGap } from './quota.ts';

const QUOTA = 20;
/** With --full those of an installation: who makes a call again waits for a minute and a half that nobody had it. */
const shorter = () => (isFull() ? {} : { paidTimes: { neverArrivedMs: 20_000, lookEveryMs: 1_000 } });
let world: FaultWorld;
afterEach(() => world?.close());

const start = async () => {
  const paid = { EARSHOT_ENGINES: 'google', EARSHOT_MAX_ACK_PENDING: `google=${QUOTA}` };
  const env = { ...paid, WORKER_CONCURRENCY: '6' };
  world = await FaultWorld.start({ workers: 4, google: {}, env, ...shorter() });
};

it('1,000 chunks at Google, random workers killed, answers lost: one paid call for each', async (context) => {
  await start();
  const random = seededRandom(seed());
  world.speech?.behave({ operationMs: 500, faults: lostReplies(random, 1_000) });
  const began = Date.now();
  const kills = 20;
  const work = await workPaid(world, bookOf(world), { recordings: 25, seconds: 160, kills, random });
  const { refused, tries } = work.ledger;
  const scenario = `1,000 chunks at Google, ${kills} kills, ${tries} tries of which ${refused} cost nothing: all of it`;
  measured(context, scenario, 'one paid call each', [Date.now() - began]);
  expect(work.chunks).toBe(1_000);
  expectPaidOnce(work, QUOTA);
});

it('the quota of Google used up in the middle: nothing burnt, all completed', async (context) => {
  await start();
  const gapMs = size(45_000, 120_000);
  world.speech?.behave({ operationMs: 1_000, retryAfterMs: 20_000 });
  const gap = await quotaGap(world, { recordings: 6, seconds: 80, gapMs });
  const scenario = `quota back after ${gapMs / 1_000} s, ${gap.refused} calls refused meanwhile, to all done`;
  measured(context, scenario, 'no attempt burnt', [gap.afterMs]);
  expect(new Set(gap.states)).toEqual(new Set(['completed']));
  expect({ attempts: gap.attempts, gaveUps: gap.gaveUps }).toEqual({ attempts: 1, gaveUps: 0 });
  expect(gap.peak).toBeLessThanOrEqual(QUOTA);
  expect(gap.meanwhile).toContain('waiting_quota');
});
