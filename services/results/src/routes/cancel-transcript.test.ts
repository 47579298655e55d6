import { randomUUID } from 'node:crypto';
import { factSubjects } from '@earshot/contracts';
import { writeTombstone } from '@earshot/intake';
import { storageKeys } from '@earshot/storage';
import { eventually } from '@earshot/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { factsOf, manifestOf } from '../../test/facts.ts';
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

const cancel = (id: string, who = 'default') =>
  http.post(`/v1/transcripts/${id}/cancel`, { authorization: `Bearer ${who}` });
const get = async (id: string) => (await http.get(`/v1/transcripts/${id}`)).json();
const published = (id: string) =>
  http.publisher.published.filter(({ subject }) => subject.includes(id)).map(({ event }) => event);

describe('cancel', () => {
  it('is final with a revision and a fact, and repeating it changes nothing', async () => {
    const facts = factsOf();
    await handle([facts.accepted(), facts.split(2), facts.chunk(0, 'so far')]);
    const [first, again] = [await cancel(facts.id), await cancel(facts.id)];
    expect([first.statusCode, again.statusCode]).toEqual([200, 200]);
    expect(again.json()).toEqual(first.json());
    expect(first.json()).toMatchObject({ status: 'canceled', revision: 1, error: null });
    expect(first.json().completed_at).not.toBeNull();
    expect(first.json()).not.toHaveProperty('text');
    await eventually('the fact', () => published(facts.id).length > 0);
    expect(published(facts.id)).toMatchObject([
      {
        id: `${facts.id}.1.canceled`,
        type: 'earshot.transcript.canceled.v1',
        data: { status: 'canceled', revision: 1, session_id: `session-${facts.id}` },
      },
    ]);
  });

  it('keeps what was there, and nothing that comes later changes it', async () => {
    const facts = factsOf();
    await handle([facts.accepted(), facts.split(3), facts.chunk(0, 'so far')]);
    await cancel(facts.id);
    const before = await get(facts.id);
    expect(before).toMatchObject({ status: 'canceled', text: 'so far', segments: [{ text: 'so far' }] });
    await handle([facts.chunk(1), facts.gaveUp(2), facts.split(2), facts.accepted()]);
    expect(await get(facts.id)).toEqual(before);
    expect(await results.query('SELECT FROM dead_letters WHERE transcript_id = $1', [facts.id])).toEqual([]);
  });

  it('removes the objects of its chunks at once, and those of its last workers with the sweep', async () => {
    const facts = factsOf();
    const { handle: store, relay } = results.replica({ leftOverAfterMs: 0 });
    await store([facts.accepted(), facts.split(2)]);
    const put = (key: string) => results.storage.put(`default/${facts.id}/${key}`, Buffer.from('x'));
    const keys = async () => {
      const found: string[] = [];
      for await (const { key } of results.storage.list(`default/${facts.id}/`)) found.push(key);
      return found.map((key) => key.split('/').slice(2).join('/'));
    };
    await Promise.all(['bytes/a', 'cuts/1-0', 'chunks/1-0-x'].map(put));
    await cancel(facts.id);
    await eventually('the chunk to be gone', async () => (await keys()).length === 2);
    await put('chunks/1-1-y');
    await eventually('the sweep to finish it', async () => (await relay.sweep()) > 0);
    expect(await keys()).toEqual(['bytes/a', 'cuts/1-0']);
  });
});

describe('a recording that was accepted, but of which no fact is stored yet', () => {
  it.each(['manifest', 'fact'])('is canceled by its %s, and stays so', async (known) => {
    const id = randomUUID();
    const manifest = manifestOf(factsOf(id).accepted());
    if (known === 'manifest') {
      await results.storage.put(storageKeys('default', id).manifest, Buffer.from(JSON.stringify(manifest)));
    } else {
      const { subject, event } = factsOf(id).accepted();
      if (event) http.facts.facts.set(subject, { subject, event, time: new Date() });
    }
    const { statusCode, json } = await cancel(id);
    expect([statusCode, json()]).toMatchObject([
      200,
      { status: 'canceled', engine: 'sherpa', session_id: `session-${id}`, created_at: manifest.created_at },
    ]);
    const facts = factsOf(id);
    await handle([facts.accepted(), facts.split(1), facts.chunk(0)]);
    expect(await get(id)).toMatchObject({ status: 'canceled', text: '', revision: 1 });
  });

  it('answers 503 while the broker cannot tell', async () => {
    http.facts.fail = true;
    expect((await cancel(randomUUID())).statusCode).toBe(503);
    http.facts.fail = false;
  });
});

describe('cancel is refused', () => {
  it.each([
    ['completed', (f: ReturnType<typeof factsOf>) => [f.split(1), f.chunk(0)]],
    ['partial', (f: ReturnType<typeof factsOf>) => [f.split(2), f.chunk(0), f.gaveUp(1)]],
    ['failed', (f: ReturnType<typeof factsOf>) => [f.split(1), f.gaveUp(0)]],
  ])('with 409 for one that is %s', async (status, make) => {
    const facts = factsOf();
    await handle([facts.accepted(), ...make(facts)]);
    const { statusCode, json } = await cancel(facts.id);
    expect([statusCode, json().code]).toEqual([409, 'conflict']);
    expect(json().detail).toContain(status);
    expect(await get(facts.id)).toMatchObject({ status, revision: 1 });
  });

  it('with 410 for a deleted one, by its row or its tombstone', async () => {
    const facts = factsOf();
    await handle([facts.accepted()]);
    await results.query("UPDATE transcripts SET status = 'deleted' WHERE id = $1", [facts.id]);
    expect((await cancel(facts.id)).statusCode).toBe(410);
    const id = randomUUID();
    await writeTombstone(results.storage, 'default', id, new Date());
    expect((await cancel(id)).statusCode).toBe(410);
  });

  it('with 404 for unknown ids and other tenants’ transcripts', async () => {
    const facts = factsOf();
    await handle([facts.accepted()]);
    for (const id of [randomUUID(), 'x', '9007199254740993']) expect((await cancel(id)).statusCode).toBe(404);
    expect((await cancel(facts.id, 'stranger')).statusCode).toBe(404);
    expect(http.facts.facts.has(factSubjects('stranger', facts.id).accepted)).toBe(false);
    expect(await get(facts.id)).toMatchObject({ status: 'queued' });
  });

  it('with 403 without the scope write', async () => {
    const facts = factsOf();
    await handle([facts.accepted()]);
    expect((await cancel(facts.id, 'default/read')).statusCode).toBe(403);
    expect((await cancel(facts.id, 'default/write')).statusCode).toBe(200);
  });
});

it('is raced by the last chunk, and exactly one of them decides', async () => {
  for (let round = 0; round < 5; round += 1) {
    const facts = factsOf();
    await handle([facts.accepted(), facts.split(1)]);
    const [answer] = await Promise.all([cancel(facts.id), handle([facts.chunk(0, 'done')])]);
    const { status, revision } = await get(facts.id);
    expect([status, revision]).toEqual([answer.statusCode === 200 ? 'canceled' : 'completed', 1]);
    const rows = await results.query<{ type: string }>('SELECT type FROM outbox WHERE transcript_id = $1', [
      facts.id,
    ]);
    expect(rows).toEqual([{ type: status }]);
  }
});
