import { setTimeout as pause } from 'node:timers/promises';
import { eventually } from '@earshot/testkit';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { log, type ResultsFixture, resultsFixture } from '../../test/fixture.ts';
import { startRelay } from './start-relay.ts';

let results: ResultsFixture;
beforeAll(async () => {
  results = await resultsFixture();
});
afterAll(() => results.close());

it('does not sweep the same rows twice at once, however long a sweep takes', async () => {
  let sweeps = 0;
  let finish = () => {};
  const finished = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const relay = startRelay({
    ...{ name: 'slow', database: results.database, log, sweepEveryMs: 20 },
    open: async () => [{ id: 1 }],
    relay: async () => {
      sweeps += 1;
      await finished;
      return 1;
    },
  });
  await eventually('a sweep', () => sweeps === 1);
  // As long as ten sweeps would take.
  await pause(200);
  expect(sweeps).toBe(1);
  finish();
  await relay.close(5_000);
});
