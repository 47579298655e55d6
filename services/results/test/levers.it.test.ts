import { httpErrors, jobLanes, type Lanes, STREAMS, type WorkerState } from '@earshot/contracts';
import { type Broker, openBroker, readLevers, startWorkerControl } from '@earshot/messaging';
import { createHttpServer, type Scope } from '@earshot/service-kit';
import { openFileStorage } from '@earshot/storage-file';
import { eventually, startTestBroker, tempFolder, testDatabase } from '@earshot/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { keepLeversOnce } from '../src/levers/keep-levers.ts';
import { migrate, type Results, readConfig, startResults } from '../src/service.ts';
import { openDatabase } from '../src/store/database.ts';
import { log } from './fixture.ts';

const SETTINGS = { EARSHOT_ENGINES: 'local,paid,dear', EARSHOT_MAX_ACK_PENDING: 'paid=40,dear=3' };

const scopesOf = (key = 'Bearer operate') => key.split(' ').slice(1) as Scope[];

/** Two replicas of results on one broker and database; requests go to the first. */
async function startAll() {
  const [nats, postgres, folder] = await Promise.all([startTestBroker(), testDatabase(), tempFolder()]);
  const config = readConfig({
    ...SETTINGS,
    NATS_URL: nats.url,
    DATABASE_URL: postgres.url,
    EARSHOT_STORAGE_URL: `file:${folder.path}`,
  });
  await migrate(config.DATABASE_URL);
  const storage = await openFileStorage({ root: folder.path });
  const open = (topology: 'apply' | 'verify') => openBroker({ config, name: 'results-test', log, topology });
  const broker = await open('apply');
  const start = () => startResults({ config, broker, storage, log });
  let replicas: Results[] = [start(), start()];
  const http = await createHttpServer({
    ...httpErrors,
    title: 'results',
    version: '0',
    logger: log,
    // The key names its scopes; without one: operate.
    authenticate: (key) => ({ tenant: 'default', scopes: scopesOf(key) }),
  });
  if (replicas[0]) await http.register(replicas[0].routes);
  const database = openDatabase({ url: postgres.url, log });
  const stop = () => Promise.all(replicas.map((replica) => replica.close(5_000)));
  return {
    broker,
    http,
    open,
    /** One look at an hour of the test's choice, as any replica would have it. */
    keepOnce: (connection: Broker, now: number) =>
      keepLeversOnce({ database, broker: connection, lanes: jobLanes(lanesOf), log }, now),
    /** The routes stay with the first replica, whose database is closed then. */
    stop,
    start: () => {
      replicas = [start(), start()];
    },
    close: async () => {
      await stop();
      await http.close();
      await database.close();
      await broker.drain();
      await storage.close();
      await Promise.all([nats.dispose(), postgres.drop()]);
      await folder.remove();
    },
  };
}
const lanesOf = { engines: SETTINGS.EARSHOT_ENGINES.split(','), maxAckPending: { paid: 40, dear: 3 } };

let all: Awaited<ReturnType<typeof startAll>>;
beforeAll(async () => {
  all = await startAll();
});
afterAll(() => all.close());

const get = async () => (await all.http.inject('/v1/lanes')).json() as Lanes;
const send = (method: 'PATCH' | 'PUT', url: string, payload: object) =>
  all.http.inject({ method, url, payload });
const consumer = async (durable: string) =>
  (await readLevers(all.broker)).find((one) => one.durable === durable);
const capsOf = async (engine: string) => {
  const found = await readLevers(all.broker);
  const cap = (lane: string) => found.find(({ durable }) => durable === `chunk-${engine}-${lane}`);
  return ['high', 'normal', 'low'].map((lane) => cap(lane)?.maxAckPending);
};

describe('the routes', () => {
  it('show every lane and engine, to operators only', async () => {
    const { lanes, engines } = await get();
    expect(lanes.map(({ durable }) => durable)).toEqual(jobLanes(lanesOf).map(({ durable }) => durable));
    expect(lanes.find(({ durable }) => durable === 'chunk-paid-high')).toEqual({
      durable: 'chunk-paid-high',
      stage: 'chunk',
      engine: 'paid',
      lane: 'high',
      waiting: 0,
      in_flight: 0,
      max_ack_pending: 8,
      paused: false,
    });
    const plain = { lowered_at: null, paused_until: null };
    expect(engines[1]).toEqual({ engine: 'paid', max_ack_pending: 40, effective: 40, ...plain });
    for (const url of ['/v1/lanes', '/v1/workers']) {
      const { statusCode } = await all.http.inject({ url, headers: { authorization: 'Bearer read write' } });
      expect(statusCode).toBe(403);
    }
  });

  it('move a lane while it works, and leave out what is not said', async () => {
    const paused = await send('PATCH', '/v1/lanes/chunk-local-low', { paused: true });
    expect(paused.json()).toMatchObject({ paused: true, max_ack_pending: 100 });
    expect(await consumer('chunk-local-low')).toMatchObject({ paused: true });
    const capped = await send('PATCH', '/v1/lanes/chunk-local-low', { max_ack_pending: 5 });
    expect(capped.json()).toMatchObject({ paused: true, max_ack_pending: 5 });
    const resumed = await send('PATCH', '/v1/lanes/chunk-local-low', { paused: false });
    expect(resumed.json()).toMatchObject({ paused: false, max_ack_pending: 5 });
    await eventually('the resume', async () => !(await consumer('chunk-local-low'))?.paused);
    expect((await send('PATCH', '/v1/lanes/split-high', { max_ack_pending: 7 })).statusCode).toBe(200);
    expect((await consumer('split-high'))?.maxAckPending).toBe(7);
  });

  it('share an engine’s cap over its lanes, whatever single lanes had', async () => {
    await send('PATCH', '/v1/lanes/chunk-local-high', { max_ack_pending: 77 });
    const { statusCode, json } = await send('PUT', '/v1/engines/local', { max_ack_pending: 10 });
    expect([statusCode, json().max_ack_pending, json().effective]).toEqual([200, 10, 10]);
    expect(await capsOf('local')).toEqual([2, 7, 1]);
  });

  it('refuse a cap that leaves a lane without a place, and say why', async () => {
    const { statusCode, json } = await send('PUT', '/v1/engines/local', { max_ack_pending: 2 });
    expect([statusCode, json().code]).toEqual([400, 'invalid_request']);
    expect(json().errors[0]).toContain('at least 3, one for each lane');
    expect(await capsOf('local')).toEqual([2, 7, 1]);
  });

  it.each([
    ['PATCH', '/v1/lanes/chunk-other-low', { paused: true }, 404],
    ['PUT', '/v1/engines/other', { max_ack_pending: 8 }, 404],
    ['PATCH', '/v1/lanes/ingest', { paused: true }, 404],
    ['PATCH', '/v1/lanes/chunk-local-low', { max_ack_pending: 0 }, 400],
    ['PATCH', '/v1/lanes/chunk-local-low', {}, 400],
    ['PATCH', '/v1/lanes/chunk-local-low', { cap: 5 }, 400],
  ] as const)('answer %s %s %j with %i', async (method, url, payload, status) => {
    expect((await send(method, url, payload)).statusCode).toBe(status);
  });
});

it('what was asked for is there again after a loss of the stream', async () => {
  await send('PATCH', '/v1/lanes/chunk-local-high', { paused: true, max_ack_pending: 6 });
  await all.broker.api.call(`STREAM.DELETE.${STREAMS.jobs}`);
  const again = await all.open('apply');
  await again.drain();
  await eventually('the levers', async () => {
    const lane = await consumer('chunk-local-high');
    return lane?.paused && (await capsOf('local')).join() === '6,7,1';
  });
});

const jobOf = (tenant: string) => ({
  stage: 'chunk' as const,
  tenant_id: tenant,
  transcript_id: crypto.randomUUID(),
  engine: 'paid',
  lane: 'normal' as const,
  plan: 1,
  n: 0,
  attempt: 1,
  started_at: new Date().toISOString(),
});

/** A worker that says when its engines may be asked again. */
function worker(id: string, quotaUntil: string | null) {
  const engine = { model: 'm', slots: 4, active: 0, circuit: 'closed' as const, quota_until: quotaUntil };
  const state: WorkerState = {
    id,
    host: 'h',
    pid: 1,
    version: '0',
    since: new Date().toISOString(),
    memory_bytes: 1,
    draining: false,
    engines: [
      { ...engine, name: 'paid' },
      { ...engine, name: 'dear' },
      { ...engine, name: 'local', quota_until: null },
    ],
    active_jobs: ['default', 'other'].map(jobOf),
  };
  let restarts = 0;
  const restartPool = async () => {
    restarts += 1;
  };
  const control = startWorkerControl({ broker: all.broker, id, state: () => state, restartPool, log });
  return { restarts: () => restarts, stop: () => control.stop() };
}

describe('quota errors', () => {
  it('lower the caps of that engine once, pause it at the lowest, and are outlived by a restart', async () => {
    const until = new Date(Date.now() + 60_000);
    const workers = [worker('w-1', until.toISOString()), worker('w-2', until.toISOString())];
    await eventually('the lower cap', async () => (await capsOf('paid')).join() === '4,14,2', 20_000);
    await eventually('the pause', async () => (await consumer('chunk-dear-low'))?.pausedUntil, 20_000);
    const { engines } = await get();
    expect(engines).toMatchObject([
      { engine: 'local', max_ack_pending: 14, effective: 14, lowered_at: null },
      { engine: 'paid', max_ack_pending: 40, effective: 20, lowered_at: expect.any(String) },
      { engine: 'dear', max_ack_pending: 3, effective: 3, paused_until: until.toISOString() },
    ]);
    await Promise.all([...workers.map((one) => one.stop()), all.stop()]);
    const fresh = await all.open('verify');
    await all.keepOnce(fresh, Date.now());
    expect(await capsOf('paid')).toEqual([4, 14, 2]);
    await all.keepOnce(fresh, until.getTime() + 31_000);
    expect(await capsOf('paid')).toEqual([4, 16, 2]);
    await eventually('the resume', async () => !(await consumer('chunk-dear-low'))?.paused);
    for (let step = 2; step <= 5; step += 1) await all.keepOnce(fresh, until.getTime() + step * 31_000);
    expect(await capsOf('paid')).toEqual([8, 28, 4]);
    expect(await capsOf('local')).toEqual([6, 7, 1]);
    await fresh.drain();
    all.start();
  });
});

describe('workers', () => {
  it('are asked just now, and renew their children on request, all or one', async () => {
    const [one, other] = [worker('w-3', null), worker('w-4', null)];
    const ids = async (method: 'GET' | 'POST', url: string) => {
      const { statusCode, json } = await all.http.inject({ method, url });
      return [statusCode, json()] as const;
    };
    const [, { data }] = await ids('GET', '/v1/workers');
    expect(data.map(({ id }: WorkerState) => id)).toEqual(['w-3', 'w-4']);
    const jobs = (workers: WorkerState[]) =>
      workers.map((each) => each.active_jobs.map((job) => job.tenant_id));
    expect(jobs(data)).toEqual([['default'], ['default']]);
    const headers = { authorization: 'Bearer admin' };
    const everything = (await all.http.inject({ url: '/v1/workers', headers })).json();
    expect(jobs(everything.data)).toEqual([
      ['default', 'other'],
      ['default', 'other'],
    ]);
    const [, all4] = await ids('POST', '/v1/workers/restart-pool');
    expect(all4.workers).toEqual(['w-3', 'w-4']);
    const [, single] = await ids('POST', '/v1/workers/w-4/restart-pool');
    expect(single.workers).toEqual(['w-4']);
    expect([one.restarts(), other.restarts()]).toEqual([1, 2]);
    expect((await ids('POST', '/v1/workers/w-5/restart-pool'))[0]).toBe(404);
    await Promise.all([one.stop(), other.stop()]);
  });
});
