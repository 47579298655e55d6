import { DURABLES, type FinalStatus, finalFacts, STREAMS, topology } from '@earshot/contracts';
import {
  applyTopology,
  type Broker,
  connectBroker,
  factPosition,
  purge,
  startFactLoop,
} from '@earshot/messaging';
import { noTenantBuckets } from '@earshot/storage';
import { eventually, startTestBroker, type TestBroker } from '@earshot/testkit';
import { connect } from 'nats';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { retryTranscript } from '../src/actions/retry.ts';
import { rebuildTables } from '../src/rebuild/rebuild-tables.ts';
import { factsOf } from './facts.ts';
import { log, type ResultsFixture, resultsFixture } from './fixture.ts';

const wanted = topology({
  ...{ engines: ['sherpa'], ackWaitSeconds: 5, maxAckPending: {} },
  ...{ storeBytes: 100 * 1024 * 1024, factsDays: 7, replicas: 1 },
});

let results: ResultsFixture;
let server: TestBroker;
let broker: Broker;

beforeAll(async () => {
  [results, server] = await Promise.all([resultsFixture(), startTestBroker()]);
  broker = await connectBroker({ servers: [server.url], name: 'test', log });
  await applyTopology(broker, wanted);
});
afterAll(async () => {
  await broker?.close();
  await server?.dispose();
  await results?.close();
});

const publish = ({ subject, event }: ReturnType<ReturnType<typeof factsOf>['chunk']>) =>
  broker.publisher.publish({ subject, event: event as never });

const final = (f: ReturnType<typeof factsOf>, status: FinalStatus, revision: number) =>
  broker.publisher.publish(
    finalFacts[status].create(
      {
        ...{ tenant_id: f.tenant, transcript_id: f.id, revision, status, session_id: null, duration_ms: 1 },
        ...{ speech_ms: 0, transcribed_ms: 0, error: null },
      },
      { source: 'earshot/results' },
    ),
  );

/** Everything of a transcript that its readers see, except when it was written. */
const rows = () =>
  results.query(
    `SELECT id, tenant_id, status, revision, generation, plan, session_id, engine, lane, key, text, language, coverage,
       error_code, (SELECT count(*) FROM chunks c WHERE c.transcript_id = t.id) AS chunks
     FROM transcripts t ORDER BY id`,
  );

const rebuild = () => rebuildTables({ database: results.database, storage: results.storage, broker, log });

it('re-creates every transcript as its readers knew it, and tells nobody a final state twice', async () => {
  const { handle, publisher } = results.replica();
  const loop = startFactLoop({ broker, handle, log });
  const [whole, gap, failed, working, canceled] = [factsOf(), factsOf(), factsOf(), factsOf(), factsOf()];
  for (const f of [whole, gap, failed, working, canceled]) await publish(f.accepted());
  for (const fact of [
    whole.split(2),
    whole.chunk(0),
    whole.chunk(1),
    gap.split(2),
    gap.chunk(0),
    gap.gaveUp(1),
  ])
    await publish(fact);
  await publish(failed.gaveUp(0, { stage: 'split', code: 'not_audio' }));
  await publish(working.chunk(0));
  await eventually('all facts to be stored', async () => (await factPosition(broker))?.open === 0);
  await results.query(
    `UPDATE transcripts SET status = 'canceled', revision = 1, error_code = NULL WHERE id = $1`,
    [canceled.id],
  );
  await eventually('all facts to be stored', async () => (await factPosition(broker))?.open === 0);
  await eventually('three final states', () => publisher.published.length === 3);
  await final(canceled, 'canceled', 1);
  await publish(canceled.chunk(0));
  await final(whole, 'completed', 1);
  await final(gap, 'partial', 1);
  await eventually('all facts to be stored', async () => (await factPosition(broker))?.open === 0);
  await publish(gap.chunk(1, 'late'));
  await eventually('the gap to be filled', () => publisher.published.length === 4);
  await final(gap, 'completed', 2);
  await eventually('all facts to be stored', async () => (await factPosition(broker))?.open === 0);
  await results.query(`UPDATE transcripts SET status = 'canceled', revision = 1 WHERE id = $1`, [
    canceled.id,
  ]);
  const before = await rows();
  await loop.stop();

  await results.query('TRUNCATE transcripts, outbox, marks CASCADE');
  const { messages } = await streamState();
  expect(await rebuild()).toBe(messages);
  expect(await rows()).toEqual(before);
  const open = await results.query<{ type: string; transcript_id: string }>(
    'SELECT type, transcript_id FROM outbox WHERE published_at IS NULL',
  );
  // Its final fact is not in the stream: it may never have been published.
  expect(open).toEqual([{ type: 'failed', transcript_id: failed.id }]);
  expect(await rebuild()).toBe(messages);
  expect(await rows()).toEqual(before);
});

it('re-creates what paid calls cost, on the days on which they did, and leaves alone what is there', async () => {
  const [kept, lost] = [factsOf(), factsOf()];
  const costly = (billed_ms: number, time: string, message: ReturnType<typeof kept.chunk>) => {
    const data = { ...(message.event?.data as object), billed_ms };
    return publish({ ...message, event: { ...message.event, data, time } as never });
  };
  await publish(kept.accepted());
  await costly(60_000, '2026-11-20T23:59:59.000Z', kept.chunk(0));
  await costly(58_000, '2026-11-21T00:00:00.000Z', lost.chunk(0));
  const usage = () =>
    results.query('SELECT billed_ms, billed_at FROM usage WHERE transcript_id = ANY($1) ORDER BY billed_at', [
      [kept.id, lost.id],
    ]);
  await rebuild();
  const before = await usage();
  expect(before).toEqual([
    { billed_ms: 60_000, billed_at: new Date('2026-11-20T23:59:59.000Z') },
    { billed_ms: 58_000, billed_at: new Date('2026-11-21T00:00:00.000Z') },
  ]);
  await results.query('DELETE FROM usage WHERE transcript_id = $1', [lost.id]);
  await results.query('UPDATE usage SET billed_ms = 61000 WHERE transcript_id = $1', [kept.id]);
  await rebuild();
  expect(await usage()).toEqual([{ ...before[0], billed_ms: 61_000 }, before[1]]);
});

it('calls a transcript whose results are gone unreadable instead of running it again, and keeps what was deleted', async () => {
  await purge(broker, { stream: STREAMS.transcripts });
  await results.query('TRUNCATE transcripts, outbox, marks CASCADE');
  const [lost, deleted] = [factsOf(), factsOf()];
  await final(lost, 'completed', 3);
  await final(deleted, 'deleted', 2);
  await publish(deleted.chunk(0));
  expect(await rebuild()).toBe(3);
  const states = await results.query('SELECT id, status, revision, error_code FROM transcripts');
  expect(states).toHaveLength(2);
  expect(states).toContainEqual({
    id: lost.id,
    status: 'failed',
    revision: 3,
    error_code: 'unreadable_result',
  });
  expect(states).toContainEqual({ id: deleted.id, status: 'deleted', revision: 2, error_code: null });
});

it('knows how often work was given up on, so that a retry gets a generation that workers take', async () => {
  const f = factsOf();
  const given = [f.gaveUp(1), f.gaveUp(1, { generation: 2 })];
  for (const fact of [f.accepted(), f.split(2), f.chunk(0), ...given]) await publish(fact);
  await rebuild();
  const { database, storage } = results;
  const deps = {
    database,
    storage,
    facts: broker.facts,
    engines: broker.engines,
    defaultEngine: 'sherpa',
    buckets: noTenantBuckets,
  };
  const replays = await retryTranscript(deps, { tenant: f.tenant, id: f.id }, undefined);
  expect(replays).toMatchObject([{ stage: 'chunk', n: 1, generation: 3 }]);
});

it('leaves a transcript in work that was sent round again after its last final state', async () => {
  const f = factsOf();
  for (const fact of [f.accepted(), f.split(2), f.chunk(0), f.gaveUp(1)]) await publish(fact);
  await rebuild();
  await final(f, 'partial', 1);
  await results.query(`UPDATE transcripts SET status = 'processing' WHERE id = $1`, [f.id]);
  await rebuild();
  const [row] = await results.query('SELECT status, revision FROM transcripts WHERE id = $1', [f.id]);
  expect(row).toEqual({ status: 'processing', revision: 1 });
});

it('refuses while final facts are being relayed', async () => {
  await results.query(
    `INSERT INTO marks (name, holder, expires_at) VALUES ('outbox-sweep', 'another', now() + interval '1 minute')
     ON CONFLICT (name) DO UPDATE SET holder = EXCLUDED.holder, expires_at = EXCLUDED.expires_at`,
  );
  await expect(rebuild()).rejects.toMatchObject({ code: 'conflict' });
});

async function streamState(): Promise<{ messages: number }> {
  const connection = await connect({ servers: server.url });
  try {
    const manager = await connection.jetstreamManager();
    expect((await manager.consumers.info(STREAMS.transcripts, DURABLES.results)).num_pending).toBe(0);
    return (await manager.streams.info(STREAMS.transcripts)).state;
  } finally {
    await connection.close();
  }
}
