import { type Chunk, reservationOf, type Spend, STREAMS, topology } from '@earshot/contracts';
import { applyTopology, type Broker, connectBroker, readSpend, writeSpend } from '@earshot/messaging';
import { eventually, startTestBroker } from '@earshot/testkit';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { keepSpend, SpendKeeper } from '../src/spend/keep-spend.ts';
import { factsOf } from './facts.ts';
import { log, type ResultsFixture, resultsFixture } from './fixture.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
/** Noon of a day of the past, when nothing else was billed. */
let noon = Date.parse('2025-01-01T12:00:00Z');
const shape = topology({
  ...{ engines: ['paid'], ackWaitSeconds: 5, maxAckPending: {}, storeBytes: 1e8, factsDays: 1, replicas: 1 },
});

let results: ResultsFixture;
let server: Awaited<ReturnType<typeof startTestBroker>>;
let broker: Broker;
let handle: ReturnType<ResultsFixture['replica']>['handle'];
let keeper: SpendKeeper;
beforeAll(async () => {
  [results, server] = await Promise.all([resultsFixture(), startTestBroker()]);
  broker = await connectBroker({ servers: [server.url], name: 'test', log });
  await applyTopology(broker, shape);
  handle = results.replica().handle;
});
afterAll(async () => {
  await broker.close();
  await Promise.all([server.dispose(), results.close()]);
});
beforeEach(async () => {
  await wipe();
  noon += 10 * DAY;
  keeper = new SpendKeeper({ database: results.database, broker, engines: ['paid'], log });
});

const kept = async () => (await readSpend(broker, 'paid')).spend as Spend;
const atNoon = (message: ReturnType<ReturnType<typeof factsOf>['chunk']>, shiftMs = 0) => ({
  ...message,
  event: message.event && { ...message.event, time: new Date(noon + shiftMs).toISOString() },
});
const paid = (billed_ms: number, over: Partial<Chunk> = {}) => ({
  engine: 'paid',
  model: 'm',
  billed_ms,
  ...over,
});
/** What a worker does before it calls. */
const reserve = async (transcript_id: string, n: number, ms: number, refused: string[] = []) => {
  const { spend, revision } = await readSpend(broker, 'paid');
  const name = reservationOf({ transcript_id, plan: 1, n });
  const reserved = { ...spend?.reserved, [name]: { tenant_id: 'default', ms } };
  await writeSpend(broker, 'paid', { ...(spend as Spend), reserved, refused }, revision);
  return name;
};
const wipe = async () => {
  await broker.api.call(`STREAM.DELETE.${STREAMS.spend}`);
  await applyTopology(broker, shape);
};

describe('the spend of a day', () => {
  it('is what was billed in this UTC day, by tenant, of this engine', async () => {
    const [own, other] = [factsOf(), factsOf(undefined, 'acme')];
    await handle([
      atNoon(own.chunk(0, 'a', paid(60_000))),
      atNoon(own.chunk(1, 'b', paid(1_000)), -12 * HOUR),
      atNoon(own.chunk(2, 'c', paid(7_000)), -12 * HOUR - 1),
      atNoon(own.chunk(3, 'd', paid(9_000, { engine: 'another' }))),
      atNoon(other.chunk(0, 'e', paid(5_000))),
    ]);
    await keeper.keep(noon);
    expect(await kept()).toEqual({
      resets_at: new Date(noon + 12 * HOUR).toISOString(),
      billed: { default: 61_000, acme: 5_000 },
      reserved: {},
      refused: [],
    });
  });

  it('counts a call as reserved until its price is known, and then once', async () => {
    const facts = factsOf();
    await handle([facts.accepted(), facts.split(2)]);
    await keeper.keep(noon);
    const [first, second] = [await reserve(facts.id, 0, 60_000), await reserve(facts.id, 1, 60_000)];
    await keeper.keep(noon);
    expect(Object.keys((await kept()).reserved)).toEqual([first, second]);
    await handle([atNoon(facts.chunk(0, 'a', paid(58_000)))]);
    await keeper.keep(noon);
    expect(await kept()).toMatchObject({ billed: { default: 58_000 } });
    expect(Object.keys((await kept()).reserved)).toEqual([second]);
  });

  it('gives back what was reserved for transcripts that have ended, and under names that are none', async () => {
    const [failed, canceled, unheard] = [factsOf(), factsOf(), factsOf()];
    await handle([failed.accepted(), failed.split(1), canceled.accepted()]);
    await keeper.keep(noon);
    await reserve(failed.id, 0, 60_000);
    await reserve(canceled.id, 0, 60_000);
    const open = await reserve(unheard.id, 0, 60_000);
    await reserve('nonsense', 0, 60_000);
    await handle([failed.gaveUp(0)]);
    await results.query(`UPDATE transcripts SET status = 'canceled' WHERE id = $1`, [canceled.id]);
    await keeper.keep(noon);
    expect(Object.keys((await kept()).reserved)).toEqual([open]);
  });

  it('begins anew at midnight UTC, but for the calls that are under way', async () => {
    const facts = factsOf();
    await handle([facts.accepted(), atNoon(facts.chunk(0, 'a', paid(60_000)))]);
    await keeper.keep(noon);
    const open = await reserve(facts.id, 1, 60_000, ['default']);
    await keeper.keep(noon + 12 * HOUR - 1);
    expect(await kept()).toMatchObject({ billed: { default: 60_000 }, refused: ['default'] });
    await keeper.keep(noon + 12 * HOUR);
    expect(await kept()).toEqual({
      resets_at: new Date(noon + 36 * HOUR).toISOString(),
      billed: {},
      reserved: { [open]: { tenant_id: 'default', ms: 60_000 } },
      refused: [],
    });
  });

  it('is made again when the bucket is lost, with the calls that are under way', async () => {
    const facts = factsOf();
    await handle([facts.accepted(), atNoon(facts.chunk(0, 'a', paid(60_000)))]);
    await keeper.keep(noon);
    await reserve(facts.id, 1, 60_000);
    await keeper.keep(noon);
    const before = await kept();
    await wipe();
    expect(await kept()).toBeUndefined();
    await keeper.keep(noon);
    expect(await kept()).toEqual(before);
    await wipe();
    await new SpendKeeper({ database: results.database, broker, engines: ['paid'], log }).keep(noon);
    expect(await kept()).toEqual({ ...before, reserved: {} });
  });

  it('is made again with the calls of the last moment before the loss', async () => {
    const keeping = keepSpend({ database: results.database, broker, engines: ['paid'], log });
    await eventually('the entry', kept);
    const name = await reserve(factsOf().id, 0, 60_000);
    await wipe();
    const again = await eventually('the entry again', kept);
    expect(again.reserved).toEqual({ [name]: { tenant_id: 'default', ms: 60_000 } });
    await keeping.stop();
  });

  it('is written only when it changed, and never over what a worker has just written', async () => {
    await keeper.keep(noon);
    const { revision } = await readSpend(broker, 'paid');
    await keeper.keep(noon);
    expect((await readSpend(broker, 'paid')).revision).toBe(revision);
    const facts = factsOf();
    await handle([facts.accepted()]);
    const racing = new SpendKeeper({
      ...{ broker, engines: ['paid'], log },
      database: {
        ...results.database,
        read: async (work) => {
          const seen = await results.database.read(work);
          await reserve(facts.id, 0, 60_000);
          return seen;
        },
      },
    });
    await racing.keep(noon + DAY);
    expect(Object.keys((await kept()).reserved)).toHaveLength(1);
    expect((await kept()).resets_at).toBe(new Date(noon + 12 * HOUR).toISOString());
  });
});

it('is kept by results from its start, and again after a loss, without anybody asking', async () => {
  const keeping = keepSpend({ database: results.database, broker, engines: ['fresh'], log });
  const entry = async () => (await readSpend(broker, 'fresh')).spend;
  await eventually('the entry', entry);
  await wipe();
  expect(await eventually('the entry again', entry)).toMatchObject({ billed: {}, reserved: {} });
  await keeping.stop();
});
