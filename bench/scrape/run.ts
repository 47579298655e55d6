// `npm run bench:scrape`: how long a scrape of results takes over HTTP, first with nothing queued and then with 100,000 chunk
// jobs, half of them of recordings of 50 chunks and half of recordings of a single one, while 25 a second are taken and
// acknowledged. Results is the built service in a process of its own, on a real broker and PostgreSQL.
import { setTimeout as pause } from 'node:timers/promises';
import { chunkJob, DURABLES, STREAMS } from '@earshot/contracts';
import { type Broker, connectBroker } from '@earshot/messaging';
import { startTestBroker, tempFolder, testDatabase } from '@earshot/testkit';
import { buildServices } from '../../services/combined/test/faults/build-services.ts';
import { ServiceProcess } from '../../services/combined/test/faults/service-process.ts';
import { CHUNK_MS, factsOf } from '../../services/results/test/facts.ts';

/** A few more than are asked for, as some are taken meanwhile. */
const JOBS = 104_000;
const LIMIT_MS = 20;
const SCRAPES = 400;
/** So that they last for a minute: everything that results does now and then happens meanwhile. */
const EVERY_MS = 150;
const AT_ONCE = 1_000;
const TAKEN = 5;
const TAKE_EVERY_MS = 200;

const root = new URL('../..', import.meta.url).pathname;
const log = { debug() {}, info() {}, warn() {}, error() {} };

type Recording = ReturnType<typeof factsOf>;

const jobOf = ({ id, tenant }: Recording, n: number) =>
  chunkJob.create(
    {
      ...{ tenant_id: tenant, transcript_id: id, engine: 'sherpa', lane: 'normal', plan: 1, n },
      ...{ generation: 0, attempt: 1, key: `${tenant}/${id}/chunks/1-${n}-x`, channels: 'mixed' as const },
      ...{ start_ms: n * CHUNK_MS, end_ms: (n + 1) * CHUNK_MS },
    },
    { source: 'earshot/bench', traceparent: undefined },
  );

async function fill(broker: Broker, recordings: number, chunks: number): Promise<void> {
  const step = Math.max(1, Math.floor(AT_ONCE / chunks));
  for (let at = 0; at < recordings; at += step) {
    const some = Array.from({ length: Math.min(step, recordings - at) }, () => factsOf());
    const facts = some.flatMap((one) => [one.accepted(), one.split(chunks)]);
    await Promise.all(
      facts.map(({ subject, event }) => event && broker.publisher.publish({ subject, event })),
    );
    const jobs = some.flatMap((one) => Array.from({ length: chunks }, (_, n) => jobOf(one, n)));
    await Promise.all(jobs.map((job) => broker.publisher.publishFirst(job)));
  }
}

/** The value of a series of a scrape. */
const seriesOf = (text: string, series: string) =>
  Number(
    text
      .split('\n')
      .find((line) => line.startsWith(`${series} `))
      ?.split(' ')
      .at(-1),
  );

/** Milliseconds of a request whose answer is read to its end. */
async function timed(url: string): Promise<number> {
  const started = performance.now();
  await (await fetch(url)).text();
  return performance.now() - started;
}

const quantile = (times: readonly number[], part: number) =>
  times.toSorted((one, other) => one - other)[Math.ceil(times.length * part) - 1] ?? 0;

/**
 * Scrapes, and asks `/livez` in between: it asks nobody, so what it takes is the machine and not the scrape. Returns the
 * slowest of both in milliseconds.
 */
async function measure(url: string): Promise<{ scrape: number; livez: number }> {
  const [scrapes, probes]: [number[], number[]] = [[], []];
  const cpu = async () => seriesOf(await scrape(url), 'process_cpu_seconds_total');
  const before = await cpu();
  for (let count = 0; count < SCRAPES; count += 1) {
    scrapes.push(await timed(`${url}/metrics`));
    probes.push(await timed(`${url}/livez`));
    await pause(EVERY_MS);
  }
  const cpuMs = (((await cpu()) - before) * 1000) / SCRAPES;
  const queued = seriesOf(
    await scrape(url),
    'earshot_queue_length{stage="chunk",engine="sherpa",lane="normal"}',
  );
  const [median, p95, p99, most] = [0.5, 0.95, 0.99, 1].map((part) => quantile(scrapes, part).toFixed(1));
  const livez = quantile(probes, 1);
  console.log(
    `${queued} jobs queued: a scrape takes ${median} ms (median of ${SCRAPES}), p95 ${p95} ms, p99 ${p99} ms, ` +
      `${most} ms at most; /livez ${livez.toFixed(1)} ms at most; CPU of results for each scrape, with all else it does ` +
      `meanwhile, ${cpuMs.toFixed(1)} ms`,
  );
  return { scrape: quantile(scrapes, 1), livez };
}

/** Takes jobs and acknowledges them, as workers do all the time, until it is stopped. */
function work(broker: Broker): { stop(): Promise<void> } {
  const stop = new AbortController();
  const run = async () => {
    const consumer = await broker.connection
      .jetstream()
      .consumers.get(STREAMS.jobs, DURABLES.chunk('sherpa', 'normal'));
    while (!stop.signal.aborted) {
      for await (const job of await consumer.fetch({ max_messages: TAKEN, expires: 1_000 })) job.ack();
      await pause(TAKE_EVERY_MS);
    }
  };
  const running = run();
  return {
    stop: () => {
      stop.abort();
      return running;
    },
  };
}

const scrape = async (url: string) => (await fetch(`${url}/metrics`)).text();

const folder = await tempFolder();
const [nats, postgres] = await Promise.all([startTestBroker(), testDatabase(), buildServices(root)]);
const env = {
  NATS_URL: nats.url,
  DATABASE_URL: postgres.url,
  EARSHOT_STORAGE_URL: `file:${folder.path}`,
  PORT: '0',
};
const init = new ServiceProcess('init', ['services/combined/dist/init.js'], env);
if ((await init.ended).code !== 0) throw new Error(init.tail());
const results = new ServiceProcess('results', ['services/results/dist/main.js'], env);
const broker = await connectBroker({ servers: [nats.url], name: 'bench', log });
try {
  const url = String((await results.logged('its address', (line) => typeof line.url === 'string')).url);
  await measure(url);
  await fill(broker, JOBS / 2 / 50, 50);
  await fill(broker, JOBS / 2, 1);
  while (seriesOf(await scrape(url), 'earshot_results_lag') !== 0) await pause(200);
  const working = work(broker);
  const slowest = await measure(url);
  await working.stop();
  const outcome =
    slowest.scrape < LIMIT_MS
      ? 'ok     '
      : slowest.livez < LIMIT_MS
        ? 'not ok '
        : 'unclear (the machine is too busy) ';
  console.log(`${outcome} the slowest under ${LIMIT_MS} ms`);
  process.exitCode = slowest.scrape < LIMIT_MS ? 0 : 1;
} finally {
  await broker.close();
  await results.kill();
  await Promise.all([nats.dispose(), postgres.drop()]);
  await folder.remove();
}
