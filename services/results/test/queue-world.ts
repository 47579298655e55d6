import { setTimeout as pause } from 'node:timers/promises';
import { chunkJob, httpErrors, STREAMS } from '@earshot/contracts';
import { openBroker } from '@earshot/messaging';
import { createHttpServer, openMetrics, SCOPES } from '@earshot/service-kit';
import { openFileStorage } from '@earshot/storage-file';
import { startTestBroker, tempFolder, testDatabase } from '@earshot/testkit';
import type { ReceivedMessage } from '../src/facts/read-fact.ts';
import { migrate, readConfig, startResults } from '../src/service.ts';
import { openDatabase } from '../src/store/database.ts';
import { CHUNK_MS, type factsOf } from './facts.ts';
import { log } from './fixture.ts';

const jobOf = ({ id, tenant }: { id: string; tenant: string }, n: number) =>
  chunkJob.create(
    {
      ...{ tenant_id: tenant, transcript_id: id, engine: 'sherpa', lane: 'normal', plan: 1, n },
      ...{ generation: 0, attempt: 1, key: `${tenant}/${id}/chunks/1-${n}-x`, channels: 'mixed' as const },
      ...{ start_ms: n * CHUNK_MS, end_ms: (n + 1) * CHUNK_MS },
    },
    { source: 'earshot/test', traceparent: undefined },
  );

/** Results on a real broker and database, with its routes and metrics, and no worker anywhere. */
export async function startQueueWorld(env: Record<string, string> = {}) {
  const [nats, postgres, folder] = await Promise.all([startTestBroker(), testDatabase(), tempFolder()]);
  const config = readConfig({
    EARSHOT_ENGINES: 'sherpa,paid',
    NATS_URL: nats.url,
    DATABASE_URL: postgres.url,
    EARSHOT_STORAGE_URL: `file:${folder.path}`,
    ...env,
  });
  await migrate(config.DATABASE_URL);
  const storage = await openFileStorage({ root: folder.path });
  const broker = await openBroker({ config, name: 'queue-world', log, topology: 'apply' });
  const metrics = await openMetrics({ service: 'results', log, env: {} });
  const results = startResults({ config, broker, storage, log, metrics });
  const http = await createHttpServer({
    ...httpErrors,
    title: 'results',
    version: '0',
    logger: log,
    authenticate: () => ({ tenant: 'default', scopes: SCOPES }),
  });
  http.get('/metrics', () => metrics.scrape());
  await http.register(results.routes);
  const database = openDatabase({ url: postgres.url, log });
  const js = broker.connection.jetstream();
  return {
    ...{ broker, metrics, http, database },
    /** Publishes facts as workers would. */
    tell: async (...facts: readonly ReceivedMessage[]) => {
      for (const { subject, event } of facts) if (event) await broker.publisher.publish({ subject, event });
    },
    /** Publishes the job of a chunk, now or for later. */
    chunk: async (facts: Pick<ReturnType<typeof factsOf>, 'id' | 'tenant'>, n: number, at?: Date) => {
      const job = jobOf(facts, n);
      if (at === undefined) await broker.publisher.publishFirst(job);
      else await broker.publisher.publishLater(job, at);
    },
    /** Takes jobs of a lane as a worker does, and does nothing with them. */
    take: async (durable: string, batch: number) => {
      const consumer = await js.consumers.get(STREAMS.jobs, durable);
      const taken = await consumer.fetch({ max_messages: batch, expires: 2_000 });
      for await (const _ of taken) await pause(0);
    },
    /** The value of a series, by its name and labels as they are scraped. */
    value: async (series: string) => {
      const line = (await metrics.scrape()).split('\n').find((one) => one.startsWith(`${series} `));
      return line === undefined ? undefined : Number(line.split(' ').at(-1));
    },
    close: async () => {
      await results.close(5_000);
      await Promise.all([http.close(), metrics.close(), database.close()]);
      await broker.drain();
      await storage.close();
      await Promise.all([nats.dispose(), postgres.drop()]);
      await folder.remove();
    },
  };
}
