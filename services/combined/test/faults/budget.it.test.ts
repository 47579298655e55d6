import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { factSubjects, RECORDING_UPLOADED, STREAMS, spendSubject } from '@earshot/contracts';
import { transcriptId } from '@earshot/intake';
import { purge, readSpend } from '@earshot/messaging';
import { openFileStorage } from '@earshot/storage-file';
import { eventually } from '@earshot/testkit';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { FaultWorld } from './fault-world.ts';
import { noise } from './recording.ts';

/** Chunks are 4 s long, so that 15 of them fit into a minute. */
const [LIMIT_MS, CHUNK_MS] = [60_000, 4_000];
const [DAY_MS, LONGEST_MS] = [86_400_000, 180_000];
let world: FaultWorld;
beforeAll(async () => {
  world = await FaultWorld.start({
    ...{ workers: 2, google: {}, paidTimes: { neverArrivedMs: 5_000, lookEveryMs: 500, pollEveryMs: 200 } },
    env: {
      ...{ EARSHOT_ENGINES: 'google', EARSHOT_MAX_ACK_PENDING: 'google=8', WORKER_CONCURRENCY: '3' },
      EARSHOT_GOOGLE_DAILY_BUDGET_MINUTES: '600,default=1',
    },
  });
});
afterAll(() => world?.close());

/** Both halves of the test must fall on one day. */
beforeAll(async () => {
  const leftMs = DAY_MS - (Date.now() % DAY_MS);
  if (leftMs < LONGEST_MS) await pause(leftMs + 1_000);
}, LONGEST_MS + 60_000);

const chargedTo = (tenant: string) =>
  (world.speech?.bill() ?? [])
    .filter(({ key }) => key.includes(`/${tenant}/`))
    .reduce((sum, { billedMs }) => sum + billedMs, 0);

/** Submits a recording for a tenant without a key: its API publishes the upload event. */
async function submitFor(tenant: string, seconds: number): Promise<string> {
  const storage = await openFileStorage({ root: world.storage });
  const uri = `${tenant}/in/${randomUUID()}.wav`;
  await storage.put(uri, new Uint8Array(await noise(seconds, 77).arrayBuffer()));
  await storage.close();
  const [source, id] = ['test', randomUUID()];
  const event = { specversion: '1.0' as const, type: RECORDING_UPLOADED, source, id, data: { uri } };
  await (await world.connection()).publisher.publish({ subject: `uploads.${tenant}`, event });
  return transcriptId(tenant, source, id);
}

it(
  'a budget holds over all workers, under kills and a lost bucket, and keeps no other tenant from going on',
  async () => {
    world.speech?.behave({ operationMs: 700 });
    const broker = await world.connection();
    const own = await Promise.all([world.submit({ seconds: 40 }), world.submit({ seconds: 40 })]);
    await eventually('calls', () => chargedTo('default') >= LIMIT_MS / 4, 60_000);
    await world.workers[0]?.kill();
    await world.startWorker();
    await eventually('more calls', () => chargedTo('default') >= LIMIT_MS / 2, 60_000);
    await purge(broker, { stream: STREAMS.spend, subject: spendSubject('google') });
    await eventually('the budget to be used', () => chargedTo('default') >= LIMIT_MS - CHUNK_MS, 60_000);
    const other = await submitFor('acme', 20);
    const ended = factSubjects('acme', other).states;
    const final = await eventually(
      'the other tenant’s transcript',
      async () => {
        const fact = await broker.facts.last(ended);
        return fact?.subject.endsWith('.completed') && fact;
      },
      60_000,
    );
    expect(final.subject).toContain(other);
    const billed = { default: LIMIT_MS, acme: 20_000 };
    const charged = () => ({ default: chargedTo('default'), acme: chargedTo('acme') });
    // The killed worker's share comes with its jobs, after ack_wait.
    await eventually('the whole budget to be used', () => isDeepStrictEqual(charged(), billed), 60_000);
    await eventually('nothing in flight', () => world.speech?.inFlight().now === 0);
    const spend = await eventually('all prices, and who is refused', async () => {
      const { spend } = await readSpend(broker, 'google');
      return isDeepStrictEqual([spend?.billed, spend?.refused], [billed, ['default']]) && spend;
    });
    await eventually('a transcript that waits for midnight', async () => {
      const transcripts = await Promise.all(own.map((id) => world.transcript(id)));
      return transcripts.some(
        ({ status, waiting_until }) => status === 'waiting_quota' && waiting_until === spend.resets_at,
      );
    });
    expect(Math.max(...world.chunkRuns().map(({ attempt }) => attempt))).toBe(1);
    expect(await world.gaveUps()).toBe(0);
    expect((await world.usage()).total.billed_ms).toBe(LIMIT_MS + 20_000);
    expect(charged()).toEqual(billed);
  },
  LONGEST_MS,
);
