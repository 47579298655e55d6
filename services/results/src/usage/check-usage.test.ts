import type { Chunk, PaidAnswer, PaidDone, UsageCheck } from '@earshot/contracts';
import { storageKeys } from '@earshot/storage';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { factsOf } from '../../test/facts.ts';
import { type ResultsFixture, resultsFixture, routesFixture } from '../../test/fixture.ts';

let results: ResultsFixture;
let http: Awaited<ReturnType<typeof routesFixture>>;
let handle: ReturnType<ResultsFixture['replica']>['handle'];
let tenant = '';
let made = 0;
beforeAll(async () => {
  results = await resultsFixture();
  http = await routesFixture(results);
  handle = http.handle;
});
afterAll(async () => {
  await http.server.close();
  await results.close();
});

/** A transcript of a tenant of its own, of two chunks, with what a ledger says of it. */
function paidTranscript() {
  made += 1;
  tenant = `tenant-${made}`;
  const facts = factsOf(undefined, tenant);
  const keys = storageKeys(tenant, facts.id);
  const write = (key: string, document: object) =>
    results.storage.create(key, Buffer.from(JSON.stringify(document)));
  return {
    ...facts,
    paid: (n: number, billed_ms: number) => facts.chunk(n, 'a', paid(billed_ms)),
    begin: () => handle([facts.accepted({ accepted_at: '2025-05-10T00:00:00Z' }), facts.split(2)]),
    ledger: async (n: number, tryNumber: number, end: { answer?: PaidAnswer; done?: PaidDone }) => {
      const root = keys.call(1, n, 'my-engine', tryNumber);
      await write(`${root}/intent`, { output_uri: root, worker: 'w-1', created_at: '' });
      if (end.answer) await write(`${root}/answer`, end.answer);
      if (end.done) await write(`${root}/done`, end.done);
    },
    cut: (n: number) => write(keys.cut(1, n), { start_ms: n * 60_000, end_ms: (n + 1) * 60_000 - 500 }),
  };
}
const paid = (billed_ms: number): Partial<Chunk> => ({ engine: 'my-engine', model: 'm', billed_ms });
const named = { answer: { operation: 'o-1' } };
const done = (billed_ms: number) => ({ ...named, done: { result: ['x'], billed_ms } });
const check = async (query = '', method: 'get' | 'post' = 'get') => {
  const url = `/v1/usage/differences?from=2025-05-01&to=2025-05-31&tenant=${tenant}${query}`;
  const answer = await http[method](url, { authorization: 'Bearer somebody' });
  expect([answer.statusCode, answer.body]).toMatchObject([200, expect.anything()]);
  return answer.json<UsageCheck>();
};

describe('usage against the ledger', () => {
  it('agrees where every price arrived, refused tries and tries of nothing included', async () => {
    const one = paidTranscript();
    await one.ledger(0, 1, { answer: { refused: 'quota_exceeded', detail: '', generation: 0 } });
    await one.ledger(0, 2, {
      ...named,
      done: { error: 'engine_error', detail: '', generation: 0, billed_ms: 1_000 },
    });
    await one.ledger(0, 3, done(59_000));
    await one.ledger(1, 1, done(0));
    await one.begin();
    await handle([one.paid(0, 60_000), one.chunk(1, '')]);
    expect(await check()).toEqual({ checked: 1, recorded: 0, data: [], next_cursor: null });
  });

  it('shows what was paid for a chunk that was given up on, and takes it over when it is asked to', async () => {
    const one = paidTranscript();
    await one.ledger(0, 1, done(60_000));
    await one.ledger(1, 1, {
      ...named,
      done: { error: 'corrupt', detail: '', generation: 0, billed_ms: 58_000 },
    });
    await one.cut(1);
    await one.begin();
    await handle([one.paid(0, 60_000), one.gaveUp(1)]);
    const lacking = { plan: 1, n: 1, engine: 'my-engine', usage_ms: null, ledger_ms: 58_000, open_calls: 0 };
    expect((await check()).data).toMatchObject([lacking]);
    expect(await check('', 'post')).toMatchObject({ recorded: 1, data: [lacking] });
    expect(await check('', 'post')).toMatchObject({ recorded: 0, data: [] });
    const rows = await results.query(
      'SELECT audio_ms, billed_ms, tenant_id FROM usage WHERE transcript_id = $1 AND n = 1',
      [one.id],
    );
    expect(rows).toEqual([{ audio_ms: 59_500, billed_ms: 58_000, tenant_id: tenant }]);
  });

  it('shows other prices, raises usage to what the ledger says, and never lowers it', async () => {
    const one = paidTranscript();
    await one.ledger(0, 1, done(60_000));
    await one.begin();
    await handle([one.paid(0, 30_000), one.paid(1, 5_000)]);
    const differences = [
      { n: 0, usage_ms: 30_000, ledger_ms: 60_000 },
      { n: 1, usage_ms: 5_000, ledger_ms: null },
    ];
    expect(await check('', 'post')).toMatchObject({ recorded: 1, data: differences });
    expect((await check()).data).toMatchObject([{ n: 1, usage_ms: 5_000 }]);
  });

  it('shows calls whose end nobody knows: canceled, or unclear', async () => {
    const one = paidTranscript();
    await one.begin();
    await one.ledger(0, 1, named);
    await one.ledger(1, 1, { answer: { refused: 'unclear', detail: '', generation: 0 } });
    await one.ledger(1, 2, {});
    await results.query(`UPDATE transcripts SET status = 'canceled' WHERE id = $1`, [one.id]);
    const open = { usage_ms: null, ledger_ms: 0 };
    expect((await check('', 'post')).data).toMatchObject([
      { n: 0, open_calls: 1, ...open },
      { n: 1, open_calls: 2, ...open },
    ]);
    expect((await check()).recorded).toBe(0);
  });

  it('leaves out what still changes', async () => {
    const one = paidTranscript();
    await one.begin();
    await one.ledger(0, 1, done(60_000));
    expect(await check()).toMatchObject({ checked: 0, data: [] });
  });

  it('comes in pages', async () => {
    const [one, two] = [paidTranscript(), paidTranscript()];
    tenant = two.tenant;
    for (const each of [one, two]) {
      await each.begin();
      await each.ledger(0, 1, done(60_000));
      await results.query(`UPDATE transcripts SET status = 'failed', tenant_id = $2 WHERE id = $1`, [
        each.id,
        tenant,
      ]);
    }
    const first = await check('&limit=1');
    const second = await check(`&limit=1&cursor=${first.next_cursor}`);
    expect([first.checked, second.checked]).toEqual([1, 1]);
    expect(first.next_cursor).not.toBe(second.next_cursor);
    expect((await check(`&limit=1&cursor=${second.next_cursor}`)).next_cursor).toBeNull();
  });

  it('is for operators, and for their own tenant', async () => {
    const answer = async (key: string, query = '') =>
      (await http.get(`/v1/usage/differences?${query}`, { authorization: `Bearer ${key}` })).statusCode;
    expect(await answer('acme/read')).toBe(403);
    expect(await answer('acme/operate')).toBe(200);
    expect(await answer('acme/operate', 'tenant=zenith')).toBe(403);
    expect(await answer('acme/operate', 'cursor=nonsense')).toBe(400);
  });
});
