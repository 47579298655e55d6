import { randomUUID } from 'node:crypto';
import { noTenantBuckets } from '@earshot/storage';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { factsOf } from '../../test/facts.ts';
import { counting, MapFactReader, type ResultsFixture, resultsFixture } from '../../test/fixture.ts';
import { pageOfDeadLetters } from '../store/sql/find-dead-letters.ts';
import { replayWork } from './replay-work.ts';

let results: ResultsFixture;
beforeAll(async () => {
  results = await resultsFixture();
});
afterAll(() => results.close());

it('takes the same number of statements, whatever the size of its page', async () => {
  const { counter, counted } = counting(results.database);
  const engines = { hasEngine: async () => true };
  const facts = new MapFactReader();
  const deps = {
    database: counted,
    storage: results.storage,
    facts,
    engines,
    defaultEngine: 'sherpa',
    buckets: noTenantBuckets,
  };
  const seen: number[] = [];
  for (const size of [1, 40]) {
    const tenant = `t-${randomUUID().slice(0, 8)}`;
    const all = Array.from({ length: size }, () => factsOf(randomUUID(), tenant));
    await results.replica().handle(all.flatMap((f) => [f.accepted(), f.split(2), f.chunk(0), f.gaveUp(1)]));
    const filter = { tenant, nobodys: false, states: ['open'] };
    const page = { after: 0, upTo: Number.MAX_SAFE_INTEGER, limit: 100 };
    const letters = await results.database.read((tx) => pageOfDeadLetters(tx, filter, page));
    counter.statements = 0;
    expect((await replayWork(deps, letters, undefined)).changed).toBe(size);
    seen.push(counter.statements);
  }
  expect(seen[1]).toBe(seen[0]);
  expect(seen[0]).toBeLessThanOrEqual(8);
});
