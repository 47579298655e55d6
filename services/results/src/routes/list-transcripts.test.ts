import type { TranscriptPage } from '@earshot/contracts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { factsOf } from '../../test/facts.ts';
import { type ResultsFixture, resultsFixture, routesFixture } from '../../test/fixture.ts';

let results: ResultsFixture;
let http: Awaited<ReturnType<typeof routesFixture>>;
let handle: ReturnType<ResultsFixture['replica']>['handle'];
beforeAll(async () => {
  results = await resultsFixture();
  http = await routesFixture(results);
  handle = results.replica().handle;
});
afterAll(async () => {
  await http.server.close();
  await results.close();
});

async function list(query: string, tenant: string): Promise<TranscriptPage> {
  const { statusCode, body } = await http.get(`/v1/transcripts?${query}`, {
    authorization: `Bearer ${tenant}`,
  });
  if (statusCode !== 200) throw new Error(body);
  return JSON.parse(body);
}

/** All pages, one after another. */
async function listAll(query: string, tenant: string): Promise<string[]> {
  const ids: string[] = [];
  let cursor: string | null = null;
  do {
    const page: TranscriptPage = await list(`${query}${cursor ? `&cursor=${cursor}` : ''}`, tenant);
    ids.push(...page.data.map((one) => one.id));
    cursor = page.next_cursor;
  } while (cursor);
  return ids;
}

describe('pages', () => {
  it('are newest first and complete, equal times included', async () => {
    const all = Array.from({ length: 23 }, () => factsOf(undefined, 'pages'));
    const at = (index: number) => `2026-11-23T10:00:0${Math.floor(index / 8)}.000Z`;
    await handle(all.map((facts, index) => facts.accepted({ accepted_at: at(index) })));
    const expected = all
      .map(({ id }, index) => ({ id, at: at(index) }))
      .sort((a, b) => (a.at === b.at ? (a.id < b.id ? 1 : -1) : a.at < b.at ? 1 : -1))
      .map(({ id }) => id);
    for (const limit of [1, 5, 23, 200]) expect(await listAll(`limit=${limit}`, 'pages')).toEqual(expected);
    expect((await list('limit=23', 'pages')).next_cursor).toBeNull();
  });

  it.each(['x', 'bm9wZQ', '%00', Buffer.from('2026-99-99T99:99:99.000Z 0').toString('base64url')])(
    'answer 400 for the cursor %s',
    async (cursor) => {
      const { statusCode, json } = await http.get(`/v1/transcripts?cursor=${cursor}`);
      expect([statusCode, json().code]).toEqual([400, 'invalid_request']);
    },
  );

  it.each([
    'limit=0',
    'limit=201',
    'limit=many',
    'status=done',
    'created_after=yesterday',
    'q=%00',
    'engine=A.B',
  ])('answer 400 for %s', async (query) => {
    const { statusCode, json } = await http.get(`/v1/transcripts?${query}`);
    expect([statusCode, json().code]).toEqual([400, 'invalid_request']);
    expect(json().errors).not.toHaveLength(0);
  });
});

describe('filters', () => {
  const tenant = 'filters';
  const make = () => factsOf(undefined, tenant);
  const [done, gap, waiting, running] = [make(), make(), make(), make()];
  const nameOf = new Map([
    [done.id, 'done'],
    [gap.id, 'gap'],
    [waiting.id, 'waiting'],
    [running.id, 'running'],
  ]);
  const found = async (query: string) => (await listAll(query, tenant)).map((id) => nameOf.get(id)).sort();

  beforeAll(async () => {
    await handle([
      done.accepted({
        accepted_at: '2026-01-01T00:00:00.000Z',
        engine: 'google',
        options: { session_id: 'one' },
      }),
      done.split(1),
      done.chunk(0, 'The quick brown fox jumps'),
      gap.accepted({ accepted_at: '2026-01-02T00:00:00.000Z', lane: 'high' }),
      gap.split(2),
      gap.chunk(0, 'A slow brown bear'),
      gap.gaveUp(1),
      waiting.accepted({ accepted_at: '2026-01-03T00:00:00.000Z', options: { session_id: 'one' } }),
      running.split(2),
      running.chunk(0, 'not searchable before its end'),
    ]);
  });

  it.each([
    ['status=completed', ['done']],
    ['status=partial&status=queued', ['gap', 'waiting']],
    ['status=processing', ['running']],
    ['session_id=one', ['done', 'waiting']],
    ['session_id=one&status=queued', ['waiting']],
    ['engine=google', ['done']],
    ['priority=high', ['gap']],
    ['priority=normal', ['done', 'running', 'waiting']],
    ['created_after=2026-01-01T12:00:00Z&created_before=2026-01-02T12:00:00Z', ['gap']],
    ['created_before=2026-01-02T01:00:00%2B02:00', ['done']],
    ['q=brown', ['done', 'gap']],
    ['q=brown+-bear', ['done']],
    [`q=${encodeURIComponent('"quick brown"')}`, ['done']],
    ['q=unheard', []],
    [`q=${encodeURIComponent("' & | ! <-> ( :*")}`, []],
  ])('%s', async (query, expected) => {
    expect(await found(query)).toEqual(expected);
  });

  it.each([
    ['status=waiting_quota', ['waiting']],
    ['status=queued', []],
    ['status=processing', ['running']],
    ['status=waiting_quota&status=completed', ['done', 'waiting']],
  ])('%s while its engine waits', async (query, expected) => {
    http.waiting.set('sherpa', new Date('2100-01-01T00:00:00Z'));
    expect(await found(query).finally(() => http.waiting.clear())).toEqual(expected);
  });

  it('never show another tenant’s, or deleted ones', async () => {
    const facts = factsOf(undefined, 'others');
    await handle([facts.accepted()]);
    expect(await listAll('', 'others')).toEqual([facts.id]);
    expect(await listAll('', 'nobody')).toEqual([]);
    await results.query("UPDATE transcripts SET status = 'deleted' WHERE id = $1", [facts.id]);
    expect(await listAll('', 'others')).toEqual([]);
  });

  it('show progress, without the text', async () => {
    const [one] = (await list('status=processing', tenant)).data;
    expect(one).toMatchObject({ id: running.id, progress: { ratio: 0.5, chunks_done: 1, chunks_total: 2 } });
    expect(one).not.toHaveProperty('text');
  });
});
