import { afterAll, beforeAll, expect, it } from 'vitest';
import { measured, size } from './chaos-run.ts';
import { FaultWorld } from './fault-world.ts';
import { SILENCES, twoRunners } from './two-runners.ts';

const ACK_WAIT_MS = size(5_000, 15_000);
const EACH = 3;
let world: FaultWorld;
beforeAll(async () => {
  world = await FaultWorld.start({ workers: 4 * EACH, ackWaitSeconds: ACK_WAIT_MS / 1_000 });
});
afterAll(() => world?.close());

it('two runners of one chunk: one result, the loser changes nothing, every loss is counted', async (context) => {
  const silences = (Object.keys(SILENCES) as (keyof typeof SILENCES)[]).flatMap((one) =>
    Array(EACH).fill(one),
  );
  const seen = await Promise.all(silences.map((silence) => twoRunners(world, silence, ACK_WAIT_MS)));
  const told = seen.map(({ toldMs }) => toldMs);
  measured(context, 'two runners: return to the loss counted', 'counted', told);
  for (const { runs, facts, transcripts, losses } of seen) {
    expect(runs).toBe(2);
    expect(facts[1]).toBe(facts[0]);
    expect(transcripts[1]).toEqual(transcripts[0]);
    expect(transcripts[0].status).toBe('completed');
    expect(losses).toBeGreaterThanOrEqual(1);
  }
});
