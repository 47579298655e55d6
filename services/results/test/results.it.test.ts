import { randomUUID } from 'node:crypto';
import { chunkJob, factSubjects, httpErrors, STREAMS } from '@earshot/contracts';
import { openBroker, purge } from '@earshot/messaging';
import { createHttpServer, openDoor } from '@earshot/service-kit';
import { openFileStorage } from '@earshot/storage-file';
import { eventually, startTestBroker, tempFolder, testDatabase } from '@earshot/testkit';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { ReceivedMessage } from '../src/facts/read-fact.ts';
import { migrate, readConfig, startResults } from '../src/service.ts';
import { factsOf } from './facts.ts';
import { log } from './fixture.ts';

async function startAll() {
  const [nats, postgres, folder] = await Promise.all([startTestBroker(), testDatabase(), tempFolder()]);
  const config = readConfig({
    NATS_URL: nats.url,
    DATABASE_URL: postgres.url,
    EARSHOT_STORAGE_URL: `file:${folder.path}`,
  });
  await migrate(config.DATABASE_URL);
  const storage = await openFileStorage({ root: folder.path });
  const broker = await openBroker({ config, name: 'results-test', log, topology: 'apply' });
  const replicas = [1, 2].map(() => startResults({ config, broker, storage, log }));
  const http = await createHttpServer({
    ...httpErrors,
    title: 'results',
    version: '0',
    logger: log,
    authenticate: openDoor('default'),
  });
  if (replicas[0]) await http.register(replicas[0].routes);
  return {
    broker,
    postgres,
    replicas,
    publish: async ({ subject, event }: ReceivedMessage) => {
      if (event) await broker.publisher.publish({ subject, event });
    },
    get: async (id: string) => (await http.inject(`/v1/transcripts/${id}`)).json(),
    retry: async (id: string) =>
      (await http.inject({ method: 'POST', url: `/v1/transcripts/${id}/retry` })).json(),
    close: async () => {
      await Promise.all(replicas.map((replica) => replica.close(5_000)));
      await http.close();
      await broker.drain();
      await storage.close();
      await Promise.all([nats.dispose(), postgres.drop()]);
      await folder.remove();
    },
  };
}

let all: Awaited<ReturnType<typeof startAll>>;
beforeAll(async () => {
  all = await startAll();
});
afterAll(() => all.close());

it('turns facts on the broker into transcripts and final facts on the broker', async () => {
  const facts = factsOf();
  await all.publish(facts.accepted());
  expect(await all.get(facts.id)).toMatchObject({ id: facts.id, status: 'queued' });
  for (const fact of [facts.chunk(1, 'b'), facts.split(2), facts.chunk(0, 'a')]) await all.publish(fact);
  const final = await eventually('the final fact', () =>
    all.broker.facts.last(factSubjects('default', facts.id).final('completed')),
  );
  expect(final.event).toMatchObject({
    source: 'earshot/results',
    data: { revision: 1, status: 'completed' },
  });
  expect(await all.get(facts.id)).toMatchObject({ status: 'completed', text: 'a b' });
});

it('sends a gap round again past an old copy of its job and a result that nobody can read', async () => {
  const facts = factsOf();
  const { publisher, jobs } = all.broker;
  const bad = facts.chunk(1, 'NUL \0 here');
  for (const fact of [facts.accepted(), facts.split(2), facts.chunk(0, 'a'), bad]) await all.publish(fact);
  await eventually('the gap', async () => (await all.get(facts.id)).status === 'partial');
  const place = { tenant_id: 'default', transcript_id: facts.id, plan: 1, n: 1, generation: 0, attempt: 1 };
  const wish = { engine: 'sherpa', lane: 'normal', channels: 'auto' } as const;
  const old = { ...place, ...wish, key: 'k', start_ms: 0, end_ms: 1 };
  const copy = chunkJob.create(old, { source: 'test' });
  await publisher.publishFirst(copy);
  expect(await all.retry(facts.id)).toMatchObject({ status: 'processing' });
  await eventually('the bad fact to be removed', async () => !(await all.broker.facts.last(bad.subject)));
  expect((await jobs.last(copy.subject))?.event.data).toMatchObject({ generation: 0 });
  await purge(all.broker, { stream: STREAMS.jobs, subject: copy.subject });
  await eventually('the new job', () => jobs.last(copy.subject));
  expect((await jobs.last(copy.subject))?.event.data).toMatchObject({ generation: 1, attempt: 1 });
  const { subject, event } = facts.chunk(1, 'b', { generation: 1 });
  if (event) expect(await publisher.publishFirst({ subject, event })).toBe('stored');
  await eventually('the end', async () => (await all.get(facts.id)).status === 'completed');
  expect(await all.get(facts.id)).toMatchObject({ text: 'a b', revision: 2 });
});

it('loses nothing when PostgreSQL is killed while facts arrive', async () => {
  const recordings = Array.from({ length: 40 }, () => factsOf(randomUUID()));
  const messages = recordings.flatMap((one) => [
    one.accepted(),
    one.split(2),
    one.chunk(0, 'x'),
    one.chunk(1, 'y'),
  ]);
  const publishing = (async () => {
    for (const message of messages) await all.publish(message);
  })();
  await all.postgres.kill();
  await expect(all.replicas[0]?.checks.database()).rejects.toMatchObject({ code: 'unavailable' });
  await publishing;
  await all.postgres.start();
  for (const { id } of recordings) {
    await eventually(`the end of ${id}`, async () => (await all.get(id)).status === 'completed', 30_000);
    const subject = factSubjects('default', id).final('completed');
    await eventually(`the final fact of ${id}`, () => all.broker.facts.last(subject), 45_000);
  }
}, 120_000);
