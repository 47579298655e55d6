import { eventually } from '@earshot/testkit';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { factsOf } from '../../../test/facts.ts';
import { type ResultsFixture, resultsFixture } from '../../../test/fixture.ts';
import { markDealtWith, markReplayed } from './dead-letters.ts';

let results: ResultsFixture;
beforeAll(async () => {
  results = await resultsFixture();
});
afterAll(() => results.close());

const somebodyWaits = async () =>
  (await results.query("SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock'")).length > 0;

it('waits for dead letters in id order, so that a replay and a discard of the same ones never wait for each other', async () => {
  const f = factsOf();
  await results.replica().handle([f.accepted(), f.split(2), f.gaveUp(0), f.gaveUp(1)]);
  const letters = await results.query<{ id: number }>('SELECT id FROM dead_letters ORDER BY id');
  const [first, second] = letters.map(({ id }) => id);
  // A row that was written again lies behind the others.
  await results.query('UPDATE dead_letters SET code = code WHERE id = $1', [first]);
  const pieces = [0, 1].map((n) => ({ transcript_id: f.id, stage: 'chunk' as const, plan: 1, n }));
  const { replayed } = await results.database.write(async (tx) => {
    expect(await markDealtWith(tx, 'discarded', [first ?? 0])).toBe(1);
    const other = results.database.write((another) => markReplayed(another, pieces));
    await eventually('the other to wait', somebodyWaits);
    expect(await markDealtWith(tx, 'discarded', [second ?? 0])).toBe(1);
    return { replayed: other };
  });
  expect(await replayed).toEqual([]);
});
