import { randomUUID } from 'node:crypto';
import { factSubjects, type Manifest, splitJobSubject, topology } from '@earshot/contracts';
import { writeTombstone } from '@earshot/intake';
import { applyTopology, type Broker, connectBroker } from '@earshot/messaging';
import { storageKeys } from '@earshot/storage';
import { startTestBroker, type TestBroker } from '@earshot/testkit';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { recoverRecordings } from '../src/actions/recover.ts';
import { factsOf, manifestOf } from './facts.ts';
import { log, type ResultsFixture, resultsFixture, routesFixture } from './fixture.ts';

let results: ResultsFixture;
let server: TestBroker;
let broker: Broker;
beforeAll(async () => {
  [results, server] = await Promise.all([resultsFixture(), startTestBroker()]);
  broker = await connectBroker({ servers: [server.url], name: 'test', log });
  const settings = { engines: ['sherpa'], ackWaitSeconds: 5, maxAckPending: {}, storeBytes: 1e8 };
  await applyTopology(broker, topology({ ...settings, factsDays: 1, replicas: 1 }));
});
afterAll(async () => {
  await broker?.close();
  await server?.dispose();
  await results?.close();
});

async function stored(tenant: string, over: Partial<Manifest> = {}) {
  const facts = factsOf(randomUUID(), tenant);
  const manifest = { ...manifestOf(facts.accepted()), ...over };
  await results.storage.put(storageKeys(tenant, facts.id).manifest, Buffer.from(JSON.stringify(manifest)));
  await results.storage.put(`${tenant}/${facts.id}/bytes/0`, Buffer.from('x'));
  return facts;
}

const recover = (goOn?: () => Promise<boolean>) => {
  const { facts, publisher } = broker;
  const { database, storage } = results;
  return recoverRecordings({ database, storage, facts, publisher, log }, goOn);
};

it('brings back what has a manifest and no transcript, of every tenant, and nothing else', async () => {
  const lost = [await stored('acme'), await stored('acme', { lane: 'high' }), await stored('globex')];
  const known = await stored('acme');
  await results.replica().handle([known.accepted()]);
  const deleted = await stored('acme');
  await writeTombstone(results.storage, 'acme', deleted.id, new Date());
  const [cut, canceled] = [await stored('globex'), await stored('globex')];
  await broker.publisher.publish(cut.split(1) as never);
  await broker.publisher.publish({
    subject: factSubjects('globex', canceled.id).final('canceled'),
    event: cut.split(1).event as never,
  });
  await results.storage.put(storageKeys('acme', randomUUID()).manifest, Buffer.from('{'));
  await stored('acme', { transcript_id: randomUUID() });

  expect(await recover()).toEqual({ manifests: 9, recovered: 3 });
  for (const [facts, lane] of lost.map((one, nth) => [one, nth === 1 ? 'high' : 'normal'] as const)) {
    const { tenant, id } = facts;
    expect((await broker.facts.last(factSubjects(tenant, id).accepted))?.event.data).toMatchObject({
      key: `${tenant}/${id}/bytes/0`,
    });
    expect(await broker.jobs.jobsOf(tenant, id)).toEqual(new Set([splitJobSubject(lane, tenant, id)]));
  }
  for (const { tenant, id } of [known, deleted, cut, canceled]) {
    expect((await broker.jobs.jobsOf(tenant, id)).size).toBe(0);
    expect(await broker.facts.last(factSubjects(tenant, id).accepted)).toBeUndefined();
  }
  await recover();
  const job = await broker.jobs.last(splitJobSubject('normal', 'globex', lost[2]?.id ?? ''));
  expect(job?.event.data).toMatchObject({ generation: 0, attempt: 1, plan: 1 });
});

it('goes no further than it may: another replica, or the next start, goes on', async () => {
  await expect(recover(async () => false)).rejects.toMatchObject({ code: 'unavailable' });
});

it('is for keys of the scope admin alone', async () => {
  const http = await routesFixture(results);
  const post = (scope: string) => http.post('/v1/recover', { authorization: `Bearer acme/${scope}` });
  for (const scope of ['read', 'write', 'operate']) expect((await post(scope)).statusCode).toBe(403);
  const { statusCode, json } = await post('admin');
  // The broker of these routes knows of no split and no cancellation.
  expect([statusCode, json()]).toEqual([200, { manifests: 9, recovered: 5 }]);
  await http.server.close();
});
