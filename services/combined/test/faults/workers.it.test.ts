import { seededRandom } from '@earshot/testkit';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { engineDown } from './engine-down.ts';
import { FaultWorld } from './fault-world.ts';
import { handOver } from './hand-over.ts';
import { highAmongLow, lowAmongHigh } from './lanes.ts';
import { twoRunners } from './two-runners.ts';
import { killWorkers } from './worker-kill.ts';

// Behaviour, on whatever machine: the figures are those of `npm run test:chaos`.
const ACK_WAIT_MS = 5_000;
let world: FaultWorld;

beforeAll(async () => {
  world = await FaultWorld.start({ workers: 4, ackWaitSeconds: ACK_WAIT_MS / 1000 });
});
afterAll(() => world?.close());

const attemptsOf = (id: string) =>
  world.chunkRuns(({ transcript_id }) => transcript_id === id).map(({ attempt }) => attempt);

it('the job of a killed worker runs elsewhere once its lease ends, and nothing finished is done again', async () => {
  const random = seededRandom(1);
  const kills = await killWorkers(world, { recordings: 2, killsEach: 1, ackWaitMs: ACK_WAIT_MS, random });
  expect(Math.max(...kills.times)).toBeLessThan(3 * ACK_WAIT_MS);
  expect(kills.redone).toBeLessThanOrEqual(kills.times.length);
  expect(new Set(kills.runsOfOthers)).toEqual(new Set([1]));
});

it('the job of a worker that is asked to stop runs elsewhere without an attempt burnt', async () => {
  const { times, transcripts, ends, lastPulls } = await handOver(world, 1);
  expect(Math.max(...times)).toBeLessThan(10_000);
  for (const id of transcripts) expect(attemptsOf(id)).toEqual([1, 1]);
  expect(ends).toEqual([{ code: 0, signal: null }]);
  expect(Math.max(...lastPulls)).toBeLessThan(100);
});

it('workers that were stopped or partitioned come back to jobs done elsewhere, change nothing and count their loss', async () => {
  const silences = ['stopped', 'partitioned'] as const;
  const both = await Promise.all(silences.map((silence) => twoRunners(world, silence, ACK_WAIT_MS)));
  for (const { runs, facts, transcripts, losses } of both) {
    expect(runs).toBe(2);
    expect(facts[1]).toBe(facts[0]);
    expect(transcripts[1]).toEqual(transcripts[0]);
    expect(transcripts[0].status).toBe('completed');
    expect(losses).toBeGreaterThanOrEqual(1);
  }
});

it('an engine that is down burns no attempt, and work goes on soon after its return', async () => {
  const { resumedMs, attempts, gaveUps, states } = await engineDown(world, { downMs: 5_000, jobs: 4 });
  expect(resumedMs).toBeLessThan(30_000);
  expect(attempts).toBe(1);
  expect(gaveUps).toBe(0);
  expect(new Set(states)).toEqual(new Set(['completed']));
});

it('a low job starts although more high ones come than can be done', async () => {
  const times = await lowAmongHigh(world, { count: 1, answerMs: 300 });
  expect(Math.max(...times)).toBeLessThan(60_000);
});

it('a high job passes a thousand low ones', async () => {
  const answerMs = 1_000;
  const { times } = await highAmongLow(world, { count: 2, waiting: 1_000, answerMs });
  expect(Math.max(...times)).toBeLessThan(10 * answerMs);
});
