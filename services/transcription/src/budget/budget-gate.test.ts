import { ALL_TENANTS, parseBudget, type Spend, STREAMS, topology } from '@earshot/contracts';
import { applyTopology, type Broker, connectBroker, readSpend, writeSpend } from '@earshot/messaging';
import { startTestBroker } from '@earshot/testkit';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { silentLog } from '../../test/fakes.ts';
import { BudgetGate } from './budget-gate.ts';
import { CallPostponed } from './call-postponed.ts';

const MINUTE = 60_000;
const shape = { ackWaitSeconds: 5, maxAckPending: {}, storeBytes: 1e8, factsDays: 1, replicas: 1 };

let server: Awaited<ReturnType<typeof startTestBroker>>;
let broker: Broker;
const others: Broker[] = [];
const connect = async () => {
  const connection = await connectBroker({ servers: [server.url], name: 'test', log: silentLog });
  others.push(connection);
  return connection;
};
beforeAll(async () => {
  server = await startTestBroker();
  broker = await connect();
  await applyTopology(broker, topology({ engines: ['paid'], ...shape }));
});
afterAll(async () => {
  await Promise.all(others.map((one) => one.close()));
  await server.dispose();
});

let engine = '';
let named = 0;
beforeEach(() => {
  named += 1;
  engine = `paid-${named}`;
});

const tomorrow = new Date(Date.now() + 3_600_000).toISOString();
const keep = async (over: Partial<Spend> = {}) => {
  const { revision } = await readSpend(broker, engine);
  await writeSpend(
    broker,
    engine,
    { resets_at: tomorrow, billed: {}, reserved: {}, refused: [], ...over },
    revision,
  );
};
const kept = async () => (await readSpend(broker, engine)).spend;
const gate = (budget: string, over: Broker = broker) =>
  new BudgetGate({ broker: over, engine, budget: parseBudget(budget), log: silentLog });
const call = (name: string, minutes = 1, tenant = 'acme') => ({ name, tenant, ms: minutes * MINUTE });
const verdict = (reserving: Promise<void>) =>
  reserving.then(
    () => 'made',
    (error: unknown) => (error instanceof CallPostponed ? error : Promise.reject(error)),
  );

describe('a budget', () => {
  it('is never overshot, and used to its end, by workers that race for it', async () => {
    await keep({ billed: { acme: 3 * MINUTE } });
    const workers = await Promise.all(Array.from({ length: 6 }, async () => gate('20', await connect())));
    const wanted = workers.flatMap((worker, at) =>
      Array.from({ length: 8 }, (_, n) => ({ worker, wish: call(`${at}-${n}`) })),
    );
    const verdicts = await Promise.all(wanted.map(({ worker, wish }) => verdict(worker.reserve(wish))));
    expect(verdicts.filter((one) => one === 'made')).toHaveLength(17);
    expect(Object.keys((await kept())?.reserved ?? {})).toHaveLength(17);
  });

  it('of a tenant keeps nobody else from going on', async () => {
    await keep();
    const worker = gate('600,acme=2');
    await worker.reserve(call('a', 2));
    expect(await verdict(worker.reserve(call('b')))).toMatchObject({ forAll: false });
    await worker.reserve(call('c', 60, 'zenith'));
    expect((await kept())?.refused).toEqual(['acme']);
  });

  it('of all keeps everybody, and says so', async () => {
    await keep({ billed: { zenith: 2 * MINUTE } });
    expect(await verdict(gate('2').reserve(call('a')))).toMatchObject({ forAll: true });
    expect((await kept())?.refused).toEqual([ALL_TENANTS]);
  });

  it('that is raised lets work go on, and nobody is called refused any more', async () => {
    await keep({ billed: { acme: MINUTE }, refused: ['acme', ALL_TENANTS, 'zenith'] });
    await gate('2').reserve(call('a'));
    expect(await kept()).toMatchObject({
      reserved: { a: { tenant_id: 'acme', ms: MINUTE } },
      refused: ['zenith'],
    });
  });

  it('of zero lets nothing through', async () => {
    await keep();
    expect(await verdict(gate('acme=0').reserve(call('a', 0.1)))).toBeInstanceOf(CallPostponed);
    expect(await verdict(gate('acme=0').reserve(call('b', 0.1, 'zenith')))).toBe('made');
  });

  it('that no day is enough for is an error, not a wait for ever', async () => {
    await keep();
    const wide = gate('60,acme=10');
    await expect(wide.reserve(call('a', 11))).rejects.toMatchObject({ code: 'over_budget' });
    await expect(wide.reserve(call('b', 61, 'zenith'))).rejects.toMatchObject({ code: 'over_budget' });
    expect(await verdict(wide.reserve(call('c', 10)))).toBe('made');
  });

  it('brings its work back at the end of the day, or in five minutes to see whether it was raised', async () => {
    await keep({ billed: { acme: MINUTE } });
    expect(await verdict(gate('1').reserve(call('a')))).toMatchObject({ afterMs: 300_000 });
    await keep({ billed: { acme: MINUTE }, resets_at: new Date(Date.now() + 60_000).toISOString() });
    const { afterMs } = (await verdict(gate('1').reserve(call('a')))) as CallPostponed;
    expect(afterMs).toBeGreaterThan(50_000);
    expect(afterMs).toBeLessThanOrEqual(60_000);
  });
});

describe('a reservation', () => {
  it('is made once for a chunk, whoever asks for it again', async () => {
    await keep();
    for (const worker of [gate('1'), gate('1')]) {
      await worker.reserve(call('a'));
      await worker.reserve(call('a'));
    }
    expect(await kept()).toMatchObject({ reserved: { a: { ms: MINUTE } } });
  });

  it('is given back when the call was not made', async () => {
    await keep();
    await gate('1').reserve(call('a'));
    await gate('1').release('a');
    await gate('1').release('never-made');
    await gate('1').reserve(call('b'));
    expect(Object.keys((await kept())?.reserved ?? {})).toEqual(['b']);
  });

  it('costs one request while nobody else writes', async () => {
    await keep();
    const worker = gate('600');
    await worker.reserve(call('a'));
    const before = (await readSpend(broker, engine)).revision;
    let asked = 0;
    const requests = broker.requests.request.bind(broker.requests);
    broker.requests.request = (...args) => {
      asked += 1;
      return requests(...args);
    };
    await worker.reserve(call('b'));
    broker.requests.request = requests;
    expect(asked).toBe(1);
    expect((await readSpend(broker, engine)).revision).toBeGreaterThan(before);
  });
});

describe('while nobody knows what is left', () => {
  const unknown = { afterMs: 2_000, forAll: false };

  it('no call is made: before results has begun the day, and while its entry cannot be read', async () => {
    expect(await verdict(gate('600').reserve(call('a')))).toMatchObject(unknown);
    await broker.requests.request(`$KV.spend.${engine}`, '{"version": 9}', { timeoutMs: 2_000 });
    expect(await verdict(gate('600').reserve(call('a')))).toMatchObject(unknown);
  });

  it('no call is made, also by a worker that has just seen the bucket that is lost', async () => {
    await keep();
    const worker = gate('600');
    await worker.reserve(call('a'));
    await broker.api.call(`STREAM.DELETE.${STREAMS.spend}`);
    expect(await verdict(worker.reserve(call('b')))).toMatchObject(unknown);
    await applyTopology(broker, topology({ engines: ['paid'], ...shape }));
    expect(await verdict(worker.reserve(call('b')))).toMatchObject(unknown);
    await keep();
    await worker.reserve(call('b'));
  });

  it('no call is made once results has not seen the end of thousands', async () => {
    const reserved = Object.fromEntries(
      Array.from({ length: 5_000 }, (_, n) => [
        `${crypto.randomUUID()}/1-${n}`,
        { tenant_id: 'acme', ms: 1 },
      ]),
    );
    await keep({ reserved });
    expect(await verdict(gate('600').reserve(call('a')))).toMatchObject(unknown);
  });
});
