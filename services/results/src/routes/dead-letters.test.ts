import { randomUUID } from 'node:crypto';
import type { DeadLetter, DeadLetterPage, DeadLetterSummary } from '@earshot/contracts';
import { transcriptId } from '@earshot/intake';
import { eventually } from '@earshot/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { factsOf } from '../../test/facts.ts';
import { type ResultsFixture, resultsFixture, routesFixture } from '../../test/fixture.ts';
import type { ReceivedMessage } from '../facts/read-fact.ts';

let results: ResultsFixture;
let http: Awaited<ReturnType<typeof routesFixture>>;
beforeAll(async () => {
  results = await resultsFixture();
  http = await routesFixture(results);
});
afterAll(async () => {
  await http.server.close();
  await results.close();
});

const as = (who: string) => ({ authorization: `Bearer ${who}` });
const getJson = async (url: string, who: string) => (await http.get(url, as(who))).json();
const list = async (query: string, who: string): Promise<DeadLetterSummary[]> =>
  ((await getJson(`/v1/dead-letters?${query}`, who)) as DeadLetterPage).data;
const act = (path: string, who: string, body?: object) =>
  http.post(`/v1/dead-letters/${path}`, as(who), body);
const transcript = (id: string, who: string) => getJson(`/v1/transcripts/${id}`, who);
const jobsOf = (id: string) => [...http.publisher.queue.keys()].filter((subject) => subject.includes(id));

/** A tenant of its own for each test. */
const newTenant = () => `t-${randomUUID().slice(0, 8)}`;

async function partials(tenant: string, count: number) {
  const range = { start_ms: 61_000, end_ms: 119_000 };
  const all = Array.from({ length: count }, () => factsOf(randomUUID(), tenant));
  await http.handle(
    all.flatMap((f) => [f.accepted(), f.split(3), f.chunk(0, 'a'), f.gaveUp(1, range), f.gaveUp(2)]),
  );
  return all;
}

async function partial(tenant: string) {
  const [facts] = await partials(tenant, 1);
  if (!facts) throw new Error('no facts');
  return facts;
}

async function letterOf(id: string, n: number, tenant: string): Promise<DeadLetterSummary> {
  const letter = (await list(`transcript_id=${id}`, tenant)).find((one) => one.n === n);
  if (!letter) throw new Error(`no open letter of chunk ${n}`);
  return letter;
}

describe('the list of dead letters', () => {
  it('shows what is open, newest first, page by page', async () => {
    const tenant = newTenant();
    await partials(tenant, 4);
    const all = await list('', tenant);
    expect(all).toHaveLength(8);
    expect(all.map(({ id }) => id)).toEqual([...all].sort((a, b) => b.id - a.id).map(({ id }) => id));
    const paged: number[] = [];
    for (let cursor = ''; ; ) {
      const page: DeadLetterPage = await getJson(`/v1/dead-letters?limit=3${cursor}`, tenant);
      paged.push(...page.data.map(({ id }) => id));
      if (page.next_cursor === null) break;
      cursor = `&cursor=${page.next_cursor}`;
    }
    expect(paged).toEqual(all.map(({ id }) => id));
  });

  it('shows one with its evidence, its job and its place', async () => {
    const tenant = newTenant();
    const facts = factsOf(randomUUID(), tenant);
    const job = { anything: [1] };
    await http.handle([facts.split(1), facts.gaveUp(0, { job, start_ms: 5, end_ms: 10, attempt: 5 })]);
    const [summary] = await list('', tenant);
    const letter: DeadLetter = await getJson(`/v1/dead-letters/${summary?.id}`, tenant);
    expect(letter).toMatchObject({
      ...summary,
      job,
      evidence: { detail: 'it failed' },
      payload_base64: null,
    });
    expect(summary).toMatchObject({
      ...{
        tenant_id: tenant,
        transcript_id: facts.id,
        stage: 'chunk',
        plan: 1,
        n: 0,
        generation: 0,
        attempt: 5,
      },
      ...{
        code: 'engine_error',
        detail: 'it failed',
        state: 'open',
        start_ms: 5,
        end_ms: 10,
        replayed_at: null,
      },
    });
  });

  it('is filtered', async () => {
    const tenant = newTenant();
    const one = await partial(tenant);
    const other = factsOf(randomUUID(), tenant);
    await http.handle([other.gaveUp(0, { stage: 'split', code: 'corrupt' })]);
    await results.query("UPDATE dead_letters SET created_at = '2026-01-02' WHERE transcript_id = $1", [
      other.id,
    ]);
    const counts = async (query: string) => (await list(query, tenant)).length;
    expect(await counts('stage=split')).toBe(1);
    expect(await counts('code=engine_error')).toBe(2);
    expect(await counts(`transcript_id=${one.id}`)).toBe(2);
    expect(await counts('created_before=2026-01-03T00:00:00Z')).toBe(1);
    expect(await counts('created_after=2026-01-03T00:00:00Z&stage=chunk')).toBe(2);
    expect(await counts('state=resolved&state=replayed&state=discarded')).toBe(0);
    await http.handle([one.chunk(1)]);
    expect([await counts(''), await counts('state=resolved'), await counts('state=all')]).toEqual([2, 1, 3]);
  });

  it.each([
    'limit=0',
    'state=lost',
    'stage=any',
    'code=%00',
    'transcript_id=x',
    'created_after=9999999-01-01T00:00:00Z',
    'cursor=x',
    `cursor=${Buffer.from('2026-01-01T00:00:00.000Z 9223372036854775808').toString('base64url')}`,
    `cursor=${Buffer.from("2026-01-01T00:00:00.000Z 1'--").toString('base64url')}`,
  ])('answers 400 for %s', async (query) => {
    expect((await http.get(`/v1/dead-letters?${query}`)).statusCode).toBe(400);
  });

  it.each(['0', 'x', '-1', '1e3', '9007199254740993', '9223372036854775808', '%00'])(
    'answers 404 for the id %s',
    async (id) => {
      expect((await http.get(`/v1/dead-letters/${id}`)).statusCode).toBe(404);
      expect((await act(`${id}/replay`, 'default')).statusCode).toBe(404);
      expect((await act(`${id}/discard`, 'default')).statusCode).toBe(404);
    },
  );
});

describe('other tenants’ dead letters', () => {
  it('are not listed, shown, replayed or discarded', async () => {
    const tenant = newTenant();
    const facts = await partial(tenant);
    const { id } = await letterOf(facts.id, 1, tenant);
    expect(await list(`transcript_id=${facts.id}`, 'stranger')).toEqual([]);
    for (const path of [`${id}/replay`, `${id}/discard`]) {
      expect((await act(path, 'stranger')).statusCode).toBe(404);
    }
    expect((await act('replay', 'stranger', { transcript_id: facts.id })).json()).toEqual({
      changed: 0,
      refused: 0,
    });
    expect((await act('discard', 'stranger', { all: true })).json()).toEqual({ changed: 0, refused: 0 });
    expect((await http.get(`/v1/dead-letters/${id}`, as('stranger'))).statusCode).toBe(404);
    expect(await list('', tenant)).toHaveLength(2);
  });

  it('that are nobody’s need the scope admin', async () => {
    const [mine, theirs] = [newTenant(), newTenant()];
    const facts = factsOf(randomUUID(), theirs);
    await http.handle([facts.accepted()]);
    const forged = factsOf(facts.id, mine).chunk(0);
    await http.handle([forged]);
    const nobodys = async (who: string) =>
      (await list('stage=message', who)).filter(({ tenant_id }) => tenant_id === null).length;
    expect(await nobodys(`${mine}/operate`)).toBe(0);
    expect(await nobodys(`${mine}/admin`)).toBe(1);
    const [letter] = await list('stage=message', `${mine}/admin`);
    const refused = await act(`${letter?.id}/replay`, `${mine}/admin`);
    expect([refused.statusCode, refused.json().detail]).toEqual([409, expect.stringContaining('whose')]);
    expect((await act(`${letter?.id}/discard`, `${mine}/operate`)).statusCode).toBe(404);
    expect((await act(`${letter?.id}/discard`, `${mine}/admin`)).json()).toEqual({ changed: 1, refused: 0 });
  });

  it('need the scope operate', async () => {
    for (const scope of ['read', 'write']) {
      expect((await http.get('/v1/dead-letters', as(`default/${scope}`))).statusCode).toBe(403);
      expect((await act('replay', `default/${scope}`, { all: true })).statusCode).toBe(403);
      expect((await act('1/discard', `default/${scope}`)).statusCode).toBe(403);
    }
  });
});

describe('replay of one', () => {
  it('fills just its gap, and the rest of the transcript goes on counting', async () => {
    const tenant = newTenant();
    const facts = await partial(tenant);
    const [first, second] = [await letterOf(facts.id, 1, tenant), await letterOf(facts.id, 2, tenant)];
    expect((await act(`${first.id}/replay`, tenant)).json()).toEqual({ changed: 1, refused: 0 });
    expect(await transcript(facts.id, tenant)).toMatchObject({
      status: 'processing',
      coverage: { gaps: [{ start_ms: 120_000 }] },
    });
    await eventually('its job', () => jobsOf(facts.id).length > 0);
    expect(jobsOf(facts.id)).toEqual([`jobs.chunk.sherpa.normal.${tenant}.${facts.id}.1.1`]);
    await http.handle([facts.chunk(1, 'b', { generation: 1 })]);
    expect(await transcript(facts.id, tenant)).toMatchObject({ status: 'partial', revision: 2, text: 'a b' });
    expect((await act(`${second.id}/replay`, tenant)).json()).toEqual({ changed: 1, refused: 0 });
    await http.handle([facts.gaveUp(1), facts.gaveUp(2), facts.chunk(2, 'c', { generation: 2 })]);
    expect(await transcript(facts.id, tenant)).toMatchObject({
      status: 'completed',
      revision: 3,
      text: 'a b c',
    });
    expect(await list('state=replayed', tenant)).toMatchObject([
      { n: 2 },
      { n: 1, replayed_at: expect.any(String) },
    ]);
  });

  it('changes nothing the second time, also at the same time', async () => {
    const tenant = newTenant();
    const facts = await partial(tenant);
    const { id } = await letterOf(facts.id, 1, tenant);
    const answers = await Promise.all([1, 2, 3].map(() => act(`${id}/replay`, tenant)));
    expect(answers.map((answer) => answer.json().changed).sort()).toEqual([0, 0, 1]);
    expect((await act(`${id}/replay`, tenant)).json()).toEqual({ changed: 0, refused: 0 });
    expect((await act(`${id}/discard`, tenant)).json()).toEqual({ changed: 0, refused: 0 });
    const [row] = await results.query('SELECT generation FROM transcripts WHERE id = $1', [facts.id]);
    expect(row).toEqual({ generation: 1 });
  });

  it('that is given up on again is a new one, and can be replayed again', async () => {
    const tenant = newTenant();
    const facts = await partial(tenant);
    await act(`${(await letterOf(facts.id, 1, tenant)).id}/replay`, tenant);
    await http.handle([facts.gaveUp(1, { generation: 1 })]);
    expect(await transcript(facts.id, tenant)).toMatchObject({ status: 'partial', revision: 2 });
    const again = await letterOf(facts.id, 1, tenant);
    expect(again.generation).toBe(1);
    expect((await act(`${again.id}/replay`, tenant)).json()).toEqual({ changed: 1, refused: 0 });
    await http.handle([facts.chunk(1, 'b', { generation: 2 })]);
    expect(await transcript(facts.id, tenant)).toMatchObject({ status: 'partial', revision: 3, text: 'a b' });
  });

  it('uses the place in its own job while the recording is being cut', async () => {
    const tenant = newTenant();
    const facts = factsOf(randomUUID(), tenant);
    const place = { key: `${tenant}/x/chunks/1-0-y`, start_ms: 3, end_ms: 9 };
    const job = {
      ...{ tenant_id: tenant, transcript_id: facts.id, plan: 1, n: 0, generation: 0, attempt: 5 },
      ...{ engine: 'sherpa', lane: 'normal', channels: 'auto', ...place },
    };
    await http.handle([facts.accepted(), facts.gaveUp(0, { job }), facts.gaveUp(1)]);
    expect((await act(`${(await letterOf(facts.id, 1, tenant)).id}/replay`, tenant)).statusCode).toBe(409);
    expect((await act(`${(await letterOf(facts.id, 0, tenant)).id}/replay`, tenant)).json()).toEqual({
      changed: 1,
      refused: 0,
    });
    await eventually('its job', () => jobsOf(facts.id).length === 1);
    expect(http.publisher.queue.get(jobsOf(facts.id)[0] ?? '')?.event.data).toMatchObject({
      ...place,
      generation: 1,
    });
  });

  it('cuts the recording again when that was given up on', async () => {
    const tenant = newTenant();
    const facts = factsOf(randomUUID(), tenant);
    await http.handle([facts.accepted(), facts.gaveUp(0, { stage: 'split', code: 'corrupt' })]);
    const [letter] = await list('', tenant);
    expect((await act(`${letter?.id}/replay`, tenant)).json()).toEqual({ changed: 1, refused: 0 });
    await eventually('its job', () => jobsOf(facts.id).length === 1);
    expect(await transcript(facts.id, tenant)).toMatchObject({ status: 'processing' });
  });

  it('of an upload event accepts it, or says why that still cannot be', async () => {
    const tenant = newTenant();
    const source = 'test';
    const [known, odd] = ['sherpa', 'nobody-has-it'].map((engine) => {
      const id = randomUUID();
      const data = { uri: `${tenant}/in/a.wav`, engine };
      const event = { specversion: '1.0', type: 'earshot.recording.uploaded.v1', source, id, data };
      const facts = factsOf(transcriptId(tenant, source, id), tenant);
      const job = { subject: `uploads.${tenant}`, headers: {}, event };
      return facts.gaveUp(0, { stage: 'accept', plan: 0, code: 'unknown_engine', job });
    }) as [ReceivedMessage, ReceivedMessage];
    await http.handle([known, odd]);
    const letters = await list('stage=accept', tenant);
    const answers = await Promise.all(letters.map(({ id }) => act(`${id}/replay`, tenant)));
    expect(answers.map(({ statusCode }) => statusCode).sort()).toEqual([200, 409]);
    expect(await list('stage=accept', tenant)).toHaveLength(1);
  });

  it('is refused with 410 for a deleted transcript', async () => {
    const tenant = newTenant();
    const facts = await partial(tenant);
    const { id } = await letterOf(facts.id, 1, tenant);
    await results.query("UPDATE transcripts SET status = 'deleted' WHERE id = $1", [facts.id]);
    expect((await act(`${id}/replay`, tenant)).statusCode).toBe(410);
    expect((await act('replay', tenant, { all: true })).json()).toEqual({ changed: 0, refused: 2 });
    expect(await results.query('SELECT FROM replays WHERE transcript_id = $1', [facts.id])).toEqual([]);
  });

  it('changes nothing for a canceled transcript, whose letters wait for nobody', async () => {
    const tenant = newTenant();
    const facts = factsOf(randomUUID(), tenant);
    await http.handle([facts.accepted(), facts.split(3), facts.gaveUp(1)]);
    const { id } = await letterOf(facts.id, 1, tenant);
    await http.post(`/v1/transcripts/${facts.id}/cancel`, as(tenant));
    expect(await list('', tenant)).toEqual([]);
    expect(await list('state=resolved', tenant)).toMatchObject([{ id }]);
    expect((await act(`${id}/replay`, tenant)).json()).toEqual({ changed: 0, refused: 0 });
    expect(jobsOf(facts.id)).toEqual([]);
  });
});

describe('a message that could not be read', () => {
  it('about a chunk is replayed by doing the chunk again', async () => {
    const tenant = newTenant();
    const facts = factsOf(randomUUID(), tenant);
    const bad = facts.chunk(0, '\0');
    await http.handle([facts.accepted(), facts.split(1), bad]);
    const [letter] = await list('', tenant);
    expect(await getJson(`/v1/dead-letters/${letter?.id}`, tenant)).toMatchObject({
      stage: 'chunk',
      payload_base64: Buffer.from(bad.bytes).toString('base64'),
    });
    expect((await act(`${letter?.id}/replay`, tenant)).json()).toEqual({ changed: 1, refused: 0 });
    await eventually('its job', () => jobsOf(facts.id).length === 1);
    expect(http.removed).toContainEqual([bad.subject, bad.seq]);
    await http.handle([bad]);
    expect(await transcript(facts.id, tenant)).toMatchObject({ status: 'processing' });
    await http.handle([facts.chunk(0, 'heard', { generation: 1 })]);
    expect(await transcript(facts.id, tenant)).toMatchObject({ status: 'completed', text: 'heard' });
  });

  it('about nothing that is work is read again, and taken when it can be', async () => {
    const tenant = newTenant();
    const facts = factsOf(randomUUID(), tenant);
    const { event, ...message } = facts.accepted();
    if (!event) throw new Error('no event');
    const { data, ...envelope } = event;
    const key = `${tenant}/${facts.id}/facts/1`;
    const byReference = { ...envelope, dataref: key };
    await http.handle([{ ...message, event: byReference, bytes: Buffer.from(JSON.stringify(byReference)) }]);
    const [letter] = await list('stage=message', tenant);
    const refused = await act(`${letter?.id}/replay`, tenant);
    expect([refused.statusCode, refused.json().detail]).toEqual([
      409,
      expect.stringContaining('no longer in storage'),
    ]);
    expect((await act('replay', tenant, { stage: 'message' })).json()).toEqual({ changed: 0, refused: 1 });
    await results.storage.put(key, Buffer.from(JSON.stringify(data)));
    expect((await act(`${letter?.id}/replay`, tenant)).json()).toEqual({ changed: 1, refused: 0 });
    expect((await act(`${letter?.id}/replay`, tenant)).json()).toEqual({ changed: 0, refused: 0 });
    expect(await transcript(facts.id, tenant)).toMatchObject({
      engine: 'sherpa',
      session_id: `session-${facts.id}`,
    });
  });
});

describe('a selection', () => {
  it('is replayed page by page, counts what changed, and counts what cannot be', async () => {
    const tenant = newTenant();
    const [deleted, ...rest] = await partials(tenant, 60);
    await results.query("UPDATE transcripts SET status = 'deleted' WHERE id = $1", [deleted?.id]);
    expect((await act('replay', tenant, { code: 'corrupt' })).json()).toEqual({ changed: 0, refused: 0 });
    expect((await act('replay', tenant, { stage: 'chunk', transcript_id: rest[0]?.id })).json()).toEqual({
      changed: 2,
      refused: 0,
    });
    expect((await act('replay', tenant, { all: true })).json()).toEqual({ changed: 116, refused: 2 });
    expect((await act('replay', tenant, { all: true })).json()).toEqual({ changed: 0, refused: 2 });
    const generations = await results.query(
      'SELECT DISTINCT generation FROM transcripts WHERE tenant_id = $1 AND id <> $2',
      [tenant, deleted?.id],
    );
    // The two letters of a transcript may come on different pages.
    expect(generations.length).toBeLessThanOrEqual(2);
    await http.handle(rest.flatMap((facts) => [facts.chunk(1, 'b'), facts.chunk(2, 'c')]));
    const done = await results.query(
      "SELECT FROM transcripts WHERE tenant_id = $1 AND status = 'completed'",
      [tenant],
    );
    expect(done).toHaveLength(59);
  });

  it('is discarded for good, and the gaps stay', async () => {
    const tenant = newTenant();
    const facts = await partial(tenant);
    const { id } = await letterOf(facts.id, 1, tenant);
    expect((await act(`${id}/discard`, tenant)).json()).toEqual({ changed: 1, refused: 0 });
    expect((await act('discard', tenant, { transcript_id: facts.id })).json()).toEqual({
      changed: 1,
      refused: 0,
    });
    expect((await act('discard', tenant, { all: true })).json()).toEqual({ changed: 0, refused: 0 });
    expect((await act(`${id}/replay`, tenant)).json()).toEqual({ changed: 0, refused: 0 });
    expect(await list('state=discarded', `${tenant}/operate`)).toHaveLength(2);
    expect(await transcript(facts.id, tenant)).toMatchObject({ status: 'partial', revision: 1 });
    expect((await http.post(`/v1/transcripts/${facts.id}/retry`, as(tenant))).statusCode).toBe(202);
  });

  it.each([
    {},
    { all: false },
    { everything: true },
    { stage: 'x' },
    { code: '\0' },
    { created_after: 'now' },
  ])('that is %j answers 400', async (body) => {
    expect((await act('replay', 'default', body)).statusCode).toBe(400);
    expect((await act('discard', 'default', body)).statusCode).toBe(400);
  });
});

it('describes its routes', async () => {
  const { paths } = (await http.get('/openapi.json')).json() as { paths: Record<string, object> };
  expect(Object.keys(paths)).toEqual(
    expect.arrayContaining([
      '/v1/transcripts/{id}/cancel',
      '/v1/transcripts/{id}/retry',
      '/v1/dead-letters',
      '/v1/dead-letters/{id}',
      '/v1/dead-letters/{id}/replay',
      '/v1/dead-letters/discard',
    ]),
  );
});
