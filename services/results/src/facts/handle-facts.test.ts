import { seededRandom } from '@earshot/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CHUNK_MS, factsOf } from '../../test/facts.ts';
import { counting, log, type ResultsFixture, resultsFixture } from '../../test/fixture.ts';
import type { Database } from '../store/database.ts';
import { factHandler } from './handle-facts.ts';

type Facts = ReturnType<typeof factsOf>;

let results: ResultsFixture;
beforeAll(async () => {
  results = await resultsFixture();
});
afterAll(() => results.close());

interface State {
  status: string;
  revision: number;
  plan: number | null;
  text: string;
  error_code: string | null;
  session_id: string | null;
  coverage: { gaps: { start_ms: number; end_ms: number; code: string }[] } | null;
}

async function stateOf(id: string): Promise<State> {
  const [row] = await results.query<State>(
    'SELECT status, revision, plan, text, error_code, session_id, coverage FROM transcripts WHERE id = $1',
    [id],
  );
  if (!row) throw new Error(`no transcript ${id}`);
  return row;
}

const outboxOf = (id: string) =>
  results.query<{ type: string; revision: number }>(
    'SELECT type, revision FROM outbox WHERE transcript_id = $1 ORDER BY id',
    [id],
  );

describe('how a transcript ends', () => {
  const split = { stage: 'split', n: 0 } as const;
  const cases: [string, (f: Facts) => ReturnType<Facts['chunk']>[], Partial<State>][] = [
    [
      'every chunk',
      (f) => [f.split(2), f.chunk(0, 'a'), f.chunk(1, 'b')],
      { status: 'completed', text: 'a b', plan: 1 },
    ],
    ['no chunks', (f) => [f.split(0)], { status: 'completed', text: '' }],
    ['only silence', (f) => [f.split(1), f.chunk(0, '')], { status: 'completed', text: '' }],
    [
      'a gap',
      (f) => [f.split(2), f.chunk(0, 'a'), f.gaveUp(1)],
      { status: 'partial', text: 'a', error_code: 'engine_error' },
    ],
    ['nothing but gaps', (f) => [f.split(1), f.gaveUp(0)], { status: 'failed', error_code: 'engine_error' }],
    [
      'a chunk beyond the count',
      (f) => [f.chunk(7, 'x'), f.split(1), f.chunk(0, 'a')],
      { status: 'completed', text: 'a' },
    ],
    [
      'a give-up of a chunk that is there',
      (f) => [f.chunk(0, 'a'), f.gaveUp(0), f.split(1)],
      { status: 'completed', error_code: null },
    ],
    [
      'a truncated split',
      (f) => [f.split(1, { truncated: true, code: 'corrupt' }), f.chunk(0, 'a')],
      { status: 'partial', error_code: 'corrupt' },
    ],
    [
      'a split given up',
      (f) => [f.gaveUp(0, { ...split, code: 'not_audio' })],
      { status: 'failed', error_code: 'not_audio', plan: null },
    ],
    [
      'an accept given up',
      (f) => [f.gaveUp(0, { stage: 'accept', plan: 0, code: 'invalid_event' })],
      { status: 'failed', error_code: 'invalid_event' },
    ],
    [
      'a split that came after its give-up',
      (f) => [f.gaveUp(0, split), f.split(1), f.chunk(0, 'a')],
      { status: 'completed', text: 'a', error_code: null },
    ],
    ['one chunk missing', (f) => [f.split(2), f.chunk(0, 'a')], { status: 'processing', plan: null }],
    ['no split yet', (f) => [f.chunk(0, 'a'), f.chunk(1, 'b')], { status: 'processing' }],
    ['accepted only', (f) => [f.accepted()], { status: 'queued' }],
    [
      'a second plan that is complete',
      (f) => [f.split(1), f.gaveUp(0), f.split(1, { plan: 2 }), f.chunk(0, 'b', { plan: 2 })],
      { status: 'completed', plan: 2, text: 'b' },
    ],
    [
      'two plans with gaps',
      (f) => [
        f.split(2),
        f.chunk(0, 'a'),
        f.gaveUp(1),
        f.split(2, { plan: 2 }),
        f.chunk(1, 'b', { plan: 2 }),
        f.gaveUp(0, { plan: 2 }),
      ],
      { status: 'partial', plan: 2, text: 'b' },
    ],
  ];
  it.each(cases)('%s', async (_, make, expected) => {
    const facts = factsOf();
    const { handle } = results.replica();
    await handle(make(facts));
    expect(await stateOf(facts.id)).toMatchObject(expected);
    const together = await outboxOf(facts.id);
    const one = factsOf();
    for (const fact of make(one)) await handle([fact]);
    expect(await stateOf(one.id)).toMatchObject(expected);
    expect((await outboxOf(one.id)).at(-1)?.type).toBe(together.at(-1)?.type);
  });

  it.each(['canceled', 'deleted'])('never leads back from %s', async (status) => {
    const facts = factsOf();
    const { handle } = results.replica();
    await handle([facts.accepted()]);
    await results.query('UPDATE transcripts SET status = $2 WHERE id = $1', [facts.id, status]);
    await handle([facts.split(1), facts.chunk(0, 'secret')]);
    expect(await stateOf(facts.id)).toMatchObject({ status, text: '', revision: 0 });
    const chunks = await results.query('SELECT FROM chunks WHERE transcript_id = $1', [facts.id]);
    expect(chunks).toHaveLength(0);
  });
});

describe('a late result', () => {
  it('fills the gap of a partial transcript with a new revision', async () => {
    const facts = factsOf();
    const { handle } = results.replica();
    await handle([facts.accepted(), facts.split(2), facts.chunk(0, 'a'), facts.gaveUp(1)]);
    await handle([facts.chunk(1, 'b')]);
    expect(await stateOf(facts.id)).toMatchObject({
      status: 'completed',
      revision: 2,
      text: 'a b',
      error_code: null,
    });
    expect(await outboxOf(facts.id)).toEqual([
      { type: 'partial', revision: 1 },
      { type: 'completed', revision: 2 },
    ]);
  });

  it('changes nothing once the transcript is completed', async () => {
    const facts = factsOf();
    const { handle } = results.replica();
    await handle([facts.split(1), facts.chunk(0, 'first')]);
    await handle([facts.chunk(0, 'second'), facts.gaveUp(0), facts.split(5)]);
    expect(await stateOf(facts.id)).toMatchObject({ status: 'completed', revision: 1, text: 'first' });
  });

  it('that is `accepted` fills in the request and leaves the state', async () => {
    const facts = factsOf();
    const { handle } = results.replica();
    await handle([facts.split(1), facts.chunk(0, 'a')]);
    await handle([facts.accepted(), facts.accepted({ options: { session_id: 'another' } })]);
    expect(await stateOf(facts.id)).toMatchObject({ status: 'completed', session_id: `session-${facts.id}` });
  });

  it('takes the range of a gap from the give-up, else from the split', async () => {
    const facts = factsOf();
    const { handle } = results.replica();
    const own = { start_ms: 61_000, end_ms: 119_000 };
    await handle([facts.split(3), facts.chunk(0, 'a'), facts.gaveUp(1, own), facts.gaveUp(2)]);
    expect((await stateOf(facts.id)).coverage?.gaps).toEqual([
      { ...own, code: 'engine_error' },
      { start_ms: 2 * CHUNK_MS, end_ms: 3 * CHUNK_MS, code: 'engine_error' },
    ]);
  });
});

describe('facts in any order, doubled, at two replicas at once', () => {
  const seeds = Array.from({ length: 6 }, () => Math.floor(Math.random() * 1e9));

  /** Complete, with a gap, failing, split given up and then done, with a fallback plan, silent. */
  const KINDS: ((f: Facts) => ReturnType<Facts['chunk']>[])[] = [
    (f) => [f.split(5), ...[0, 1, 2, 3, 4, 9].map((n) => f.chunk(n))],
    (f) => [f.split(3), f.chunk(0), f.gaveUp(1), f.chunk(2)],
    (f) => [f.split(1), f.gaveUp(0)],
    (f) => [f.gaveUp(0, { stage: 'split' }), f.split(2), f.chunk(0), f.gaveUp(0), f.chunk(1)],
    (f) => [
      f.split(1),
      f.gaveUp(0),
      f.split(2, { plan: 2 }),
      ...[0, 1].map((n) => f.chunk(n, 'x', { plan: 2 })),
    ],
    (f) => [f.split(2), f.chunk(0, ''), f.chunk(1, '')],
  ];

  function recordings() {
    const all = KINDS.map((make) => ({ facts: factsOf(), make }));
    return {
      ids: all.map(({ facts }) => facts.id),
      facts: all.flatMap(({ facts, make }) => [facts.accepted(), ...make(facts)]),
    };
  }

  async function finalStates(ids: readonly string[]) {
    const states = await Promise.all(ids.map(stateOf));
    return states.map(({ revision: _, session_id, ...state }) => ({ ...state, known: session_id !== null }));
  }

  it.each(seeds)('end in the same states (seed %i)', async (seed) => {
    const random = seededRandom(seed);
    const inOrder = recordings();
    await results.replica().handle(inOrder.facts);
    const expected = await finalStates(inOrder.ids);
    const mixed = recordings();
    const deliveries = random.shuffled([...mixed.facts, ...mixed.facts]);
    const replicas = [
      results.replica({ database: results.open() }),
      results.replica({ database: results.open() }),
    ];
    await Promise.all(
      replicas.map(async ({ handle }, index) => {
        const own = deliveries.filter((_, nth) => nth % 2 === index);
        while (own.length > 0) await handle(own.splice(0, 1 + random.below(12)));
      }),
    );
    expect(await finalStates(mixed.ids)).toEqual(expected);
    for (const id of mixed.ids) {
      const { revision, status } = await stateOf(id);
      const outbox = await outboxOf(id);
      expect(outbox.map((row) => row.revision)).toEqual(outbox.map((_, index) => index + 1));
      expect(outbox.at(-1)).toEqual({ revision, type: status });
    }
  });
});

describe('a batch', () => {
  const complete = (count: number) =>
    Array.from({ length: count }, () => factsOf()).flatMap((f) => [
      f.accepted(),
      f.split(1),
      f.chunk(0),
      f.gaveUp(0),
    ]);

  it('takes the same number of statements, whatever its size', async () => {
    const { counter, counted } = counting(results.database);
    const seen: number[] = [];
    for (const size of [1, 50]) {
      counter.statements = 0;
      const finals: unknown[] = [];
      const { storage } = results;
      const handle = factHandler({
        database: counted,
        storage,
        log,
        onFinal: (rows) => finals.push(...rows),
      });
      await handle(complete(size));
      expect(finals).toHaveLength(size);
      seen.push(counter.statements);
    }
    expect(seen[1]).toBe(seen[0]);
    expect(seen[0]).toBeLessThanOrEqual(16);
  });

  it('notes how far the stream was stored, and never goes back', async () => {
    const { handle } = results.replica();
    const [early, late] = [factsOf().accepted(), factsOf().accepted()];
    const position = async () =>
      (await results.query<{ position: number }>("SELECT position FROM marks WHERE name = 'transcripts'"))[0]
        ?.position;
    await handle([late]);
    await handle([early]);
    expect(await position()).toBe(late.seq);
  });

  it('rejects and stores nothing while the database fails, so that it is handed over again', async () => {
    const failing: Database = { ...results.database, write: () => Promise.reject(new Error('down')) };
    const facts = factsOf();
    await expect(results.replica({ database: failing }).handle([facts.accepted()])).rejects.toThrow('down');
  });
});
