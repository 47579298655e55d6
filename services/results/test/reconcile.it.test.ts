import { setTimeout as pause } from 'node:timers/promises';
import {
  chunkJob,
  chunkJobSubject,
  type OutgoingMessage,
  STREAMS,
  splitJob,
  splitJobSubject,
  topology,
} from '@earshot/contracts';
import { applyTopology, type Broker, connectBroker, purge } from '@earshot/messaging';
import { noTenantBuckets, storageKeys } from '@earshot/storage';
import { eventually, startTestBroker, type TestBroker } from '@earshot/testkit';
import { connect } from 'nats';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { replayWork } from '../src/actions/replay-work.ts';
import { startReconciler } from '../src/reconcile/reconciler.ts';
import { topologyDuty } from '../src/service.ts';
import { pageOfDeadLetters } from '../src/store/sql/find-dead-letters.ts';
import { CHUNK_MS, factsOf } from './facts.ts';
import { log, type ResultsFixture, resultsFixture } from './fixture.ts';

const wanted = topology({
  engines: ['sherpa'],
  ackWaitSeconds: 5,
  maxAckPending: {},
  storeBytes: 100 * 1024 * 1024,
  factsDays: 7,
  replicas: 1,
});

let results: ResultsFixture;
let server: TestBroker;
let broker: Broker;
let recovered = 0;
let mayGoOn: boolean | undefined;
let whileRecovering: () => Promise<void> = async () => undefined;

beforeAll(async () => {
  [results, server] = await Promise.all([resultsFixture(), startTestBroker()]);
  broker = await connectBroker({ servers: [server.url], name: 'test', log });
});
afterAll(async () => {
  await broker?.close();
  await server?.dispose();
  await results?.close();
});
beforeEach(async () => {
  await applyTopology(broker, wanted);
  for (const { name } of wanted.streams) await purge(broker, { stream: name });
  await results.query('TRUNCATE transcripts, marks CASCADE');
  recovered = 0;
  whileRecovering = async () => undefined;
});

const NEVER = 3_600_000;

/** Its transcripts count as idle after `idleMs`; it looks by itself only when told how often. */
function reconcilerOf({ idleMs, everyMs = NEVER }: { idleMs: number; everyMs?: number }) {
  const recover = async (goOn: () => Promise<boolean>) => {
    recovered += 1;
    await whileRecovering();
    mayGoOn = await goOn();
  };
  const wantedNow = async () => wanted;
  const { database, storage } = results;
  const { facts, engines } = broker;
  const options = {
    ...{ database, storage, broker, facts, engines, log, recover },
    ...{ wanted: wantedNow, defaultEngine: 'sherpa', buckets: noTenantBuckets },
  };
  return startReconciler({ ...options, idleMs, firstMs: everyMs, everyMs, catchUpMs: 300 });
}

/** A look that counts every transcript as idle; `idleMs` otherwise. */
async function look(idleMs = 0): Promise<number> {
  const reconciler = reconcilerOf({ idleMs });
  try {
    return await reconciler.look();
  } finally {
    await reconciler.close();
  }
}

const store = (...facts: ReturnType<ReturnType<typeof factsOf>['chunk']>[]) =>
  results.replica().handle(facts);
const source = { source: 'earshot/test' };

function jobsOf(f: ReturnType<typeof factsOf>) {
  const common = {
    ...{ tenant_id: f.tenant, transcript_id: f.id, plan: 1, generation: 0, attempt: 1 },
    ...({ engine: 'sherpa', lane: 'normal', channels: 'auto' } as const),
  };
  const place = { engine: 'sherpa', lane: 'normal', tenant: f.tenant, id: f.id, plan: 1 } as const;
  return {
    chunk: (n: number): OutgoingMessage =>
      chunkJob.create({ ...common, n, key: 'default/x', start_ms: 0, end_ms: 1 }, source),
    split: (): OutgoingMessage =>
      splitJob.create({ ...common, key: 'default/x', accepted_at: new Date().toISOString() }, source),
    chunkSubject: (n: number) => chunkJobSubject({ ...place, n }),
    splitSubject: splitJobSubject('normal', f.tenant, f.id),
    present: () => broker.jobs.jobsOf(f.tenant, f.id),
  };
}

async function jobAt(subject: string): Promise<unknown> {
  const connection = await connect({ servers: server.url });
  try {
    const manager = await connection.jetstreamManager();
    const { data } = await manager.streams.getMessage(STREAMS.jobs, { last_by_subj: subject });
    return (JSON.parse(Buffer.from(data).toString()) as { data: unknown }).data;
  } finally {
    await connection.close();
  }
}

it('publishes again the one chunk job that nobody has, as it was, and once', async () => {
  const f = factsOf();
  const jobs = jobsOf(f);
  await store(f.accepted({ options: { language: 'en' } }), f.split(4), f.chunk(0), f.gaveUp(3));
  await broker.publisher.publish(jobs.chunk(1));
  expect(await look()).toBe(1);
  expect(await jobs.present()).toEqual(new Set([jobs.chunkSubject(1), jobs.chunkSubject(2)]));
  expect(await jobAt(jobs.chunkSubject(2))).toMatchObject({
    key: `default/${f.id}/chunks/1-2-x`,
    start_ms: 2 * CHUNK_MS,
    end_ms: 3 * CHUNK_MS,
    language: 'en',
    attempt: 1,
  });
  expect(await look()).toBe(0);
});

it('looks after every one of many transcripts, more than it reads at once', async () => {
  const many = Array.from({ length: 25 }, () => factsOf());
  await store(...many.flatMap((f) => [f.accepted(), f.split(2), f.chunk(0)]));
  for (const f of many.slice(0, 5)) await broker.publisher.publish(jobsOf(f).chunk(1));
  expect(await look()).toBe(20);
  for (const f of many) expect(await jobsOf(f).present()).toEqual(new Set([jobsOf(f).chunkSubject(1)]));
});

it('publishes again the job of a gap that was sent round, not those of gaps that were not', async () => {
  const f = factsOf();
  await store(f.accepted(), f.split(3), f.chunk(0), f.gaveUp(1), f.gaveUp(2));
  const filter = { tenant: f.tenant, nobodys: false, states: ['open'], transcript_id: f.id };
  const page = { after: 0, upTo: Number.MAX_SAFE_INTEGER, limit: 1 };
  const { database, storage } = results;
  const letters = await database.read((tx) => pageOfDeadLetters(tx, filter, page));
  const deps = {
    database,
    storage,
    facts: broker.facts,
    engines: broker.engines,
    defaultEngine: 'sherpa',
    buckets: noTenantBuckets,
  };
  await replayWork(deps, letters, undefined);
  expect(await look()).toBe(1);
  expect(await jobsOf(f).present()).toEqual(new Set([jobsOf(f).chunkSubject(1)]));
  expect(await jobAt(jobsOf(f).chunkSubject(1))).toMatchObject({ generation: 1, attempt: 1 });
});

it('asks for the cut of a recording that nobody cuts, also when chunks are there, but not when it is scheduled', async () => {
  const lost = factsOf();
  const scheduled = factsOf();
  await store(lost.accepted(), lost.chunk(0), scheduled.accepted());
  await broker.publisher.publishLater(jobsOf(scheduled).split(), new Date(Date.now() + 60_000));
  expect(await look()).toBe(1);
  expect(await jobsOf(lost).present()).toEqual(new Set([jobsOf(lost).splitSubject]));
});

it('finds in its manifest what a recording needs whose acceptance was lost', async () => {
  const f = factsOf();
  await results.storage.create(
    storageKeys(f.tenant, f.id).manifest,
    Buffer.from(
      JSON.stringify({
        ...{ kind: 'recording', tenant_id: f.tenant, transcript_id: f.id, source: 's', event_id: 'e' },
        ...{
          uri: 'default/in/a.wav',
          engine: 'sherpa',
          lane: 'high',
          channels: 'auto',
          options: {},
          warnings: [],
        },
        created_at: '2026-11-23T10:00:00.000Z',
      }),
    ),
  );
  await store(f.chunk(0));
  expect(await look()).toBe(1);
  const subject = splitJobSubject('high', f.tenant, f.id);
  expect(await jobAt(subject)).toMatchObject({ key: 'default/in/a.wav', generation: 0 });
});

it('leaves alone what moved just now, what is finished, and what is canceled', async () => {
  const [fresh, finished, canceled] = [factsOf(), factsOf(), factsOf()];
  await store(
    fresh.accepted(),
    finished.accepted(),
    finished.split(1),
    finished.chunk(0),
    canceled.accepted(),
  );
  await results.query(`UPDATE transcripts SET status = 'canceled' WHERE id = $1`, [canceled.id]);
  expect(await look(60_000)).toBe(0);
  await results.query(`UPDATE transcripts SET moved_at = now() - interval '2 minutes'`);
  expect(await look(60_000)).toBe(1);
  expect((await jobsOf(fresh).present()).size).toBe(1);
});

it('does not take a job for lost whose fact is not stored yet', async () => {
  const f = factsOf();
  await store(f.accepted(), f.split(1));
  const fact = f.chunk(0);
  await broker.publisher.publish({
    subject: fact.subject,
    event: fact.event as never,
    traceparent: undefined,
  });
  await expect(look()).rejects.toMatchObject({ code: 'unavailable' });
  expect((await jobsOf(f).present()).size).toBe(0);
});

it('brings everything back after the store was deleted, and looks for recordings without a transcript', async () => {
  const many = Array.from({ length: 20 }, () => factsOf());
  await store(...many.flatMap((f) => [f.accepted(), f.split(2), f.chunk(0)]));
  expect(await look(60_000)).toBe(0);
  const connection = await connect({ servers: server.url });
  const manager = await connection.jetstreamManager();
  for (const { name } of wanted.streams) await manager.streams.delete(name);
  await connection.close();
  expect(await look(60_000)).toBe(20);
  expect(recovered).toBe(1);
  for (const f of many) expect(await jobsOf(f).present()).toEqual(new Set([jobsOf(f).chunkSubject(1)]));
  await eventually('calm again', async () => (await look(60_000)) === 0);
  expect(recovered).toBe(1);
});

async function makeJobsAgain(): Promise<void> {
  const connection = await connect({ servers: server.url });
  await (await connection.jetstreamManager()).streams.delete(STREAMS.jobs);
  await connection.close();
  await applyTopology(broker, wanted);
}

it('notices that a stream was made again while it made good the loss of one', async () => {
  const f = factsOf();
  await store(f.accepted());
  expect(await look(60_000)).toBe(0);
  await makeJobsAgain();
  whileRecovering = makeJobsAgain;
  expect(await look(60_000)).toBe(1);
  whileRecovering = async () => undefined;
  expect(await look(60_000)).toBe(1);
  expect(await look(60_000)).toBe(0);
  expect(recovered).toBe(2);
});

it('does not begin again while it makes good a loss, however long that takes, and ends when it is closed', async () => {
  await look();
  await makeJobsAgain();
  let finish = () => {};
  const finished = new Promise<void>((resolve) => {
    finish = resolve;
  });
  whileRecovering = () => finished;
  const reconciler = reconcilerOf({ idleMs: 60_000, everyMs: 20 });
  await eventually('a look', () => recovered === 1);
  // As long as ten looks would take.
  await pause(200);
  expect(recovered).toBe(1);
  const closed = reconciler.close();
  finish();
  await closed;
  expect(mayGoOn).toBe(false);
});

it('notices that only the stream of jobs was made again', async () => {
  const f = factsOf();
  await store(f.accepted());
  await broker.publisher.publish(jobsOf(f).split());
  expect(await look(60_000)).toBe(0);
  await makeJobsAgain();
  expect(await look(60_000)).toBe(1);
  expect(recovered).toBe(1);
});

it('restores streams at its start only where it had them before: a new installation waits for its init step', async () => {
  const config = { DATABASE_URL: results.server.url };
  expect(await topologyDuty(config, log)).toBe('verify');
  await look();
  expect(await topologyDuty(config, log)).toBe('restore');
  expect(await topologyDuty({ DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none' }, log)).toBe('verify');
});
