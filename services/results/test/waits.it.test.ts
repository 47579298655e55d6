import { type Queue, STREAMS, type WorkerState } from '@earshot/contracts';
import { readSpend, startWorkerControl, writeSpend } from '@earshot/messaging';
import { eventually } from '@earshot/testkit';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { factsOf } from './facts.ts';
import { log } from './fixture.ts';
import { startQueueWorld } from './queue-world.ts';

let world: Awaited<ReturnType<typeof startQueueWorld>>;
beforeAll(async () => {
  world = await startQueueWorld({
    EARSHOT_ENGINES: 'sherpa,paid,google',
    EARSHOT_GOOGLE_DAILY_BUDGET_MINUTES: '600,default=1',
  });
});
afterAll(() => world.close());

const state = (quota_until: string | null): WorkerState => ({
  ...{
    id: 'w-1',
    host: 'h',
    pid: 1,
    version: '1',
    since: '',
    memory_bytes: 1,
    draining: false,
    active_jobs: [],
  },
  engines: [{ name: 'paid', model: 'm', slots: 1, active: 0, circuit: 'closed', quota_until }],
});
const get = async (id: string) => (await world.http.inject({ url: `/v1/transcripts/${id}` })).json();
const soon = (id: string, status: string) =>
  eventually(`the status ${status}`, async () => {
    const found = await get(id);
    return found.status === status && found;
  });

it('a transcript shows that its engine is out of quota, as the workers tell it, and when that is over', async () => {
  const until = new Date(Date.now() + 600_000).toISOString();
  let quota_until: string | null = null;
  const control = startWorkerControl({
    ...{ broker: world.broker, id: 'w-1', log },
    state: () => state(quota_until),
    restartPool: async () => {},
  });
  const facts = factsOf();
  await world.tell(facts.accepted({ engine: 'paid' }));
  await soon(facts.id, 'queued');
  quota_until = until;
  expect(await soon(facts.id, 'waiting_quota')).toMatchObject({ waiting_until: until });
  quota_until = null;
  expect(await soon(facts.id, 'queued')).toMatchObject({ waiting_until: null });
  await control.stop();
});

it('a transcript shows that its tenant is over budget, until midnight UTC', async () => {
  const facts = factsOf();
  await world.tell(facts.accepted({ engine: 'google' }));
  await soon(facts.id, 'queued');
  const entry = await eventually('the entry', async () => {
    const kept = await readSpend(world.broker, 'google');
    return kept.spend && { ...kept, spend: kept.spend };
  });
  await writeSpend(world.broker, 'google', { ...entry.spend, refused: ['default'] }, entry.revision);
  const midnight = entry.spend.resets_at;
  expect(midnight).toMatch(/T00:00:00\.000Z$/);
  expect(await soon(facts.id, 'waiting_quota')).toMatchObject({ waiting_until: midnight });
});

it('the lanes of an engine that is out of budget for everybody are not served: more workers would not help', async () => {
  const served = async () => {
    const { lanes } = (await world.http.inject({ url: '/v1/queue' })).json<Queue>();
    const of = (engine: string) => lanes.filter((lane) => lane.engine === engine).map((lane) => lane.served);
    return { google: of('google'), sherpa: of('sherpa') };
  };
  const refuse = async (refused: string[]) => {
    const { spend, revision } = await readSpend(world.broker, 'google');
    if (spend) await writeSpend(world.broker, 'google', { ...spend, refused }, revision);
  };
  await refuse(['default']);
  await eventually('lanes that are served', async () => (await served()).google.every(Boolean));
  await refuse(['*']);
  await eventually('lanes that are not', async () => !(await served()).google.some(Boolean));
  expect((await served()).sherpa).toEqual([true, true, true]);
});

it('a transcript is shown at once also while the broker cannot tell', async () => {
  const facts = factsOf();
  await world.tell(
    facts.accepted({ engine: 'paid' }),
    facts.split(1),
    facts.chunk(0, 'done', { engine: 'paid' }),
  );
  await soon(facts.id, 'completed');
  await world.broker.api.call(`STREAM.DELETE.${STREAMS.workers}`);
  await world.broker.connection.close();
  const startedAt = performance.now();
  for (let asked = 0; asked < 20; asked += 1)
    expect(await get(facts.id)).toMatchObject({ status: 'completed' });
  expect(performance.now() - startedAt).toBeLessThan(10_000);
});
