import { eventually } from '@earshot/testkit';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { factsOf } from '../../../test/facts.ts';
import { type ResultsFixture, resultsFixture } from '../../../test/fixture.ts';
import { lockTranscripts } from './transcripts.ts';
import { markChecked } from './unfinished.ts';

let results: ResultsFixture;
beforeAll(async () => {
  results = await resultsFixture();
});
afterAll(() => results.close());

const somebodyWaits = async () =>
  (await results.query("SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock'")).length > 0;

it('waits for rows in id order, whatever the order in which they were stored and are named', async () => {
  const [low, high] = [factsOf(), factsOf()].sort((a, b) => (a.id < b.id ? -1 : 1));
  if (!low || !high) throw new Error('two');
  for (const one of [high, low]) await results.replica().handle([one.accepted()]);
  const checked = await results.database.write(async (tx) => {
    await lockTranscripts(tx, [low.id]);
    const other = results.database.write((second) => markChecked(second, [high.id, low.id]));
    await eventually('the other to wait', somebodyWaits);
    await lockTranscripts(tx, [high.id]);
    return { other };
  });
  await expect(checked.other).resolves.toBeUndefined();
});
