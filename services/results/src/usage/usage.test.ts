import type { Chunk, UsagePage } from '@earshot/contracts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { factsOf } from '../../test/facts.ts';
import { counting, log, type ResultsFixture, resultsFixture, routesFixture } from '../../test/fixture.ts';
import { factHandler } from '../facts/handle-facts.ts';
import type { ReceivedMessage } from '../facts/read-fact.ts';

let results: ResultsFixture;
let http: Awaited<ReturnType<typeof routesFixture>>;
let handle: ReturnType<ResultsFixture['replica']>['handle'];
beforeAll(async () => {
  results = await resultsFixture();
  http = await routesFixture(results);
  handle = http.handle;
});
afterAll(async () => {
  await http.server.close();
  await results.close();
});

const paid = (billed_ms: number, over: Partial<Chunk> = {}) => ({
  ...{ engine: 'google', model: 'chirp_3', billed_ms },
  ...over,
});
/** The same message as if it had been published at that time. */
const at = (time: string, message: ReceivedMessage): ReceivedMessage => ({
  ...message,
  event: message.event && { ...message.event, time },
});
const rowsOf = (id: string) =>
  results.query<{ n: number; billed_ms: number; audio_ms: number; tenant_id: string }>(
    'SELECT n, billed_ms, audio_ms, tenant_id FROM usage WHERE transcript_id = $1 ORDER BY n',
    [id],
  );
const usage = async (query: string, key = 'all/admin') => {
  const answer = await http.get(`/v1/usage?${query}`, { authorization: `Bearer ${key}` });
  return { status: answer.statusCode, page: answer.json<UsagePage & { code: string; errors: string[] }>() };
};

describe('what paid calls cost', () => {
  it('is kept once for a chunk and engine, and not for what was free', async () => {
    const facts = factsOf();
    await handle([facts.accepted(), facts.chunk(0, 'a', paid(61_000)), facts.chunk(1, 'b')]);
    await handle([facts.chunk(0, 'a', paid(99_000)), facts.chunk(2, 'c', paid(0))]);
    expect(await rowsOf(facts.id)).toEqual([
      { n: 0, billed_ms: 61_000, audio_ms: 60_000, tenant_id: 'default' },
      { n: 2, billed_ms: 0, audio_ms: 60_000, tenant_id: 'default' },
    ]);
  });

  it('is kept of a transcript that was canceled, and when its rows are gone', async () => {
    const facts = factsOf();
    await handle([facts.accepted()]);
    await results.query(`UPDATE transcripts SET status = 'canceled' WHERE id = $1`, [facts.id]);
    await handle([facts.chunk(0, 'late', paid(60_000))]);
    expect(await rowsOf(facts.id)).toHaveLength(1);
    await results.query('DELETE FROM transcripts WHERE id = $1', [facts.id]);
    expect(await rowsOf(facts.id)).toHaveLength(1);
  });

  it('is never put on the bill of a tenant by a fact under another tenant’s transcript', async () => {
    const facts = factsOf();
    await handle([facts.accepted()]);
    await handle([factsOf(facts.id, 'mallory').chunk(0, 'x', paid(60_000))]);
    expect(await rowsOf(facts.id)).toEqual([]);
  });

  it('takes one statement more for a whole batch, and is told once', async () => {
    const { counter, counted } = counting(results.database);
    const told: number[] = [];
    const store = factHandler({
      ...{ database: counted, storage: results.storage, log, onFinal: () => {} },
      onBilled: (rows) => told.push(...rows.map(({ billed_ms }) => billed_ms)),
    });
    const batch = (over: Partial<Chunk>) =>
      Array.from({ length: 20 }, () => factsOf()).map((facts) => facts.chunk(0, 'a', over));
    await store(batch({}));
    const free = counter.statements;
    const costly = batch(paid(1000));
    counter.statements = 0;
    await store(costly);
    expect(counter.statements).toBe(free + 1);
    await store(costly);
    expect(told).toEqual(Array.from({ length: 20 }, () => 1000));
  });
});

describe('GET /v1/usage', () => {
  const [one, two] = [factsOf(undefined, 'acme'), factsOf(undefined, 'zenith')];
  beforeAll(async () => {
    await handle([
      at('2025-03-30T23:59:59.999Z', one.chunk(0, 'a', paid(60_000))),
      at('2025-03-31T00:00:00.000Z', one.chunk(1, 'b', paid(30_000))),
      at('2025-03-31T23:59:59.999Z', one.chunk(2, 'c', paid(15_000, { model: 'long' }))),
      at('2025-03-31T12:00:00.000Z', two.chunk(0, 'd', paid(7_000, { engine: 'other' }))),
      at('2025-04-01T00:00:00.000Z', two.chunk(1, 'e', paid(1_000))),
    ]);
  });
  const march = 'from=2025-03-30&to=2025-03-31';

  it.each([
    [
      'day',
      [
        ['acme', '2025-03-30', 60_000],
        ['acme', '2025-03-31', 45_000],
        ['zenith', '2025-03-31', 7_000],
      ],
    ],
    [
      'engine',
      [
        ['acme', 'google', 105_000],
        ['zenith', 'other', 7_000],
      ],
    ],
    [
      'model',
      [
        ['acme', 'google/chirp_3', 90_000],
        ['acme', 'google/long', 15_000],
        ['zenith', 'other/chirp_3', 7_000],
      ],
    ],
    [
      'transcript',
      [
        ['acme', one.id, 105_000],
        ['zenith', two.id, 7_000],
      ],
    ],
  ])('sums whole UTC days by %s', async (group, sums) => {
    const { page } = await usage(`${march}&group_by=${group}`);
    expect(page.data.map(({ tenant_id, key, billed_ms }) => [tenant_id, key, billed_ms])).toEqual(sums);
    expect(page.total).toEqual({ chunks: 4, audio_ms: 240_000, billed_ms: 112_000 });
  });

  it('gives pages that together are the whole, each with the total of all', async () => {
    const keys: string[] = [];
    let cursor = '';
    do {
      const { page } = await usage(`${march}&limit=1${cursor && `&cursor=${cursor}`}`);
      keys.push(...page.data.map(({ tenant_id, key }) => `${tenant_id} ${key}`));
      expect(page.total.billed_ms).toBe(112_000);
      cursor = page.next_cursor ?? '';
    } while (cursor);
    expect(keys).toEqual(['acme 2025-03-30', 'acme 2025-03-31', 'zenith 2025-03-31']);
  });

  it('shows a tenant its own, and all or one of them to an admin', async () => {
    const own = await usage(march, 'zenith/read');
    expect(own.page).toMatchObject({ total: { billed_ms: 7_000 }, data: [{ tenant_id: 'zenith' }] });
    expect((await usage(`${march}&tenant=zenith`, 'zenith/read')).page.total.billed_ms).toBe(7_000);
    expect((await usage(`${march}&tenant=acme`)).page.total.billed_ms).toBe(105_000);
    expect(await usage(`${march}&tenant=acme`, 'zenith/read')).toMatchObject({
      status: 403,
      page: { code: 'forbidden' },
    });
    expect((await usage(march, 'zenith/write')).status).toBe(403);
  });

  it.each([
    'from=2025-02-30',
    'from=2025-3-1',
    'from=2025-04-02&to=2025-04-01',
    'from=2024-01-01&to=2025-03-31',
    'group_by=session',
    'limit=1001',
    'cursor=%00',
    'cursor=bm9uZQ',
    'tenant=A',
  ])('refuses ?%s', async (query) => {
    expect(await usage(query)).toMatchObject({ status: 400, page: { code: 'invalid_request' } });
  });

  it('is of the month of its last day unless told otherwise', async () => {
    const { page } = await usage('to=2025-04-01');
    expect(page).toMatchObject({ from: '2025-04-01', to: '2025-04-01', total: { billed_ms: 1_000 } });
  });
});
