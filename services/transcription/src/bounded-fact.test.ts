import { factSubjects, splitFact } from '@earshot/contracts';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Bench, openBench } from '../test/bench.ts';
import { boundedFact } from './bounded-fact.ts';

let bench: Bench;
beforeEach(async () => {
  bench = await openBench();
});
afterEach(() => bench.dispose());

const fact = (count: number) =>
  splitFact.create(
    {
      ...{
        tenant_id: 'acme',
        transcript_id: bench.id,
        plan: 1,
        generation: 0,
        duration_ms: count,
        channels: 1,
        count,
      },
      cuts: Array.from({ length: count }, (_, n) => ({
        ...{ start_ms: n, end_ms: n + 1, key: `acme/${bench.id}/chunks/1-${n}-random`, channels: 1 },
      })),
    },
    { source: 'test', traceparent: '00-aa-bb-01' },
  );

describe('a fact', () => {
  it('travels in its message while it is small', async () => {
    const small = fact(10);
    expect(await boundedFact(bench.storage, small)).toBe(small);
  });

  it('over 256 KB is kept in storage and its message names the key', async () => {
    const large = fact(3000);
    const { subject, event, traceparent } = await boundedFact(bench.storage, large);
    expect(subject).toBe(factSubjects('acme', bench.id).split(1));
    expect(traceparent).toBe('00-aa-bb-01');
    expect(event).not.toHaveProperty('data');
    expect(JSON.stringify(event).length).toBeLessThan(1000);
    const kept = await bench.storage.read(event.dataref ?? '');
    expect(JSON.parse(String(kept))).toEqual(large.event.data);
  });
});
