// `npm run bench:broker-size`: what a managed NATS and PostgreSQL must hold. Stored bytes of an hour of audio, while it waits
// and when it is done; memory of nats-server with so many jobs queued; connections of each service while recordings are in
// work. Real servers; the services are run from their sources, each a process of its own.
import { readFile } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { Client } from '@earshot/client';
import { chunkFact, chunkJob, STREAMS, topology } from '@earshot/contracts';
import { applyTopology, type Broker, connectBroker } from '@earshot/messaging';
import { startTestBroker, type TestBroker, type TestDatabase, testDatabase } from '@earshot/testkit';
import { type Installation, prepareInstallation, urlOf } from '../../services/combined/test/installation.ts';
import { factsOf } from '../../services/results/test/facts.ts';

const CHUNKS_PER_HOUR = 60;
const CHUNK_MS = 60_000;
/** An even pace of speech: 150 words a minute, a segment every 10 s. */
const [SEGMENTS, WORDS] = [6, 25];
const TEXT =
  'it was the best of times it was the worst of times it was the age of wisdom it was the age of'.split(' ');
/** Hours of audio queued, for the memory of the server. */
const HOURS = [0, 100, 1_000];
const AT_ONCE = 500;

const log = { debug() {}, info() {}, warn() {}, error() {} };
const source = {
  source: 'earshot/bench',
  traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
};
const mb = (bytes: number) => `${(bytes / 1024 / 1024).toFixed(1)} MB`;
const kb = (bytes: number) => `${(bytes / 1024).toFixed(0)} KB`;

type Recording = ReturnType<typeof factsOf>;
const placeOf = ({ id, tenant }: Recording, n: number) => ({
  ...{ tenant_id: tenant, transcript_id: id, engine: 'sherpa', plan: 1, n, generation: 0, attempt: 1 },
  ...{ start_ms: n * CHUNK_MS, end_ms: (n + 1) * CHUNK_MS },
});

const jobOf = (recording: Recording, n: number) =>
  chunkJob.create(
    {
      ...placeOf(recording, n),
      ...{ lane: 'normal', channels: 'mixed' as const },
      key: `${recording.tenant}/${recording.id}/chunks/1-${n}-0123456789abcdef`,
    },
    source,
  );

function segmentOf(start: number) {
  const step = CHUNK_MS / SEGMENTS / WORDS;
  const words = Array.from({ length: WORDS }, (_, at) => ({
    ...{ start_ms: start + at * step, end_ms: start + (at + 1) * step, confidence: null },
    ...{ text: TEXT[at % TEXT.length] ?? '', timing: 'estimated' as const },
  }));
  const text = words.map((word) => word.text).join(' ');
  return { start_ms: start, end_ms: start + CHUNK_MS / SEGMENTS, text, channel: 0, speaker: null, words };
}

const resultOf = (recording: Recording, n: number) =>
  chunkFact.create(
    {
      ...placeOf(recording, n),
      ...{ model: 'moonshine-tiny-en', language: 'en', speech_ms: CHUNK_MS, transcribed_ms: CHUNK_MS },
      ...{ worker: 'transcription-7d9f8c6b5-x2x4x', engine_ms: 6_000 },
      segments: Array.from({ length: SEGMENTS }, (_, at) =>
        segmentOf(n * CHUNK_MS + (at * CHUNK_MS) / SEGMENTS),
      ),
    },
    source,
  );

async function bytesOf(broker: Broker, stream: string): Promise<number> {
  return (await broker.api.call<{ state: { bytes: number } }>(`STREAM.INFO.${stream}`)).state.bytes;
}

async function queue(broker: Broker, hours: number): Promise<void> {
  const numbers = Array.from({ length: CHUNKS_PER_HOUR }, (_, n) => n);
  const step = Math.floor(AT_ONCE / CHUNKS_PER_HOUR);
  for (let at = 0; at < hours; at += step) {
    const some = Array.from({ length: Math.min(step, hours - at) }, () => factsOf());
    const facts = some.flatMap((one) => [one.accepted(), one.split(CHUNKS_PER_HOUR)]);
    await Promise.all(
      facts.map(({ subject, event }) => event && broker.publisher.publish({ subject, event })),
    );
    await Promise.all(
      some.flatMap((one) => numbers.map((n) => broker.publisher.publishFirst(jobOf(one, n)))),
    );
  }
}

const memoryOf = async (server: TestBroker) =>
  ((await (await fetch(`${server.monitorUrl}/varz`)).json()) as { mem: number }).mem;

async function storedBytes(): Promise<void> {
  const server = await startTestBroker({ monitored: true, maxFile: 1_900 * 1024 * 1024, syncAlways: false });
  const broker = await connectBroker({ servers: [server.url], name: 'bench', log });
  await applyTopology(
    broker,
    topology({
      ...{ engines: ['sherpa'], ackWaitSeconds: 15, maxAckPending: {}, factsDays: 7, replicas: 1 },
      storeBytes: 1_900 * 1024 * 1024,
    }),
  );
  const rows: string[] = [];
  let queued = 0;
  for (const hours of HOURS) {
    await queue(broker, hours - queued);
    queued = hours;
    // The runtime gives back what it only needed for a moment.
    await pause(3_000);
    rows.push(`| ${hours} | ${hours * CHUNKS_PER_HOUR} | ${mb(await memoryOf(server))} |`);
  }
  const [waiting, stated] = [await bytesOf(broker, STREAMS.jobs), await bytesOf(broker, STREAMS.transcripts)];
  const one = factsOf();
  await Promise.all(
    Array.from({ length: CHUNKS_PER_HOUR }, (_, n) => broker.publisher.publish(resultOf(one, n))),
  );
  const results = (await bytesOf(broker, STREAMS.transcripts)) - stated;
  console.log('\n| an hour of audio | stored in NATS |\n| --- | --- |');
  console.log(`| its jobs (JOBS), until they are done | ${kb(waiting / queued)} |`);
  console.log(`| accepted and split (TRANSCRIPTS) | ${kb(stated / queued)} |`);
  console.log(`| its results (TRANSCRIPTS), until room is made or ${7} days are over | ${kb(results)} |`);
  console.log('\n| hours queued | jobs | memory of nats-server |\n| --- | --- | --- |');
  console.log(rows.join('\n'));
  await broker.close();
  await server.dispose();
}

interface Connections {
  readonly nats: Map<string, number>;
  readonly postgres: Map<string, number>;
}

async function countConnections(server: TestBroker, database: TestDatabase): Promise<Connections> {
  const answer = await fetch(`${server.monitorUrl}/connz`);
  const { connections } = (await answer.json()) as { connections: { name?: string }[] };
  const nats = new Map<string, number>();
  for (const { name = '' } of connections) nats.set(name, (nats.get(name) ?? 0) + 1);
  const rows = await database.query<{ name: string; count: number }>(
    "SELECT application_name AS name, count(*)::int FROM pg_stat_activity WHERE application_name LIKE 'earshot-%' GROUP BY 1",
  );
  return { nats, postgres: new Map(rows.map(({ name, count }) => [name, count])) };
}

async function connectionsAtWork(
  installation: Installation,
  server: TestBroker,
  database: TestDatabase,
): Promise<void> {
  const env = { NATS_URL: server.url, DATABASE_URL: database.url };
  const init = installation.start('combined/src/init.ts', env);
  if ((await init.exit) !== 0) throw new Error(init.stdout());
  const [ingest, results, worker] = ['ingest', 'results', 'transcription'].map((name) =>
    installation.start(`${name}/src/main.ts`, env),
  );
  if (!ingest || !results || !worker) throw new Error('unreachable');
  await worker.printed(/worker ready/);
  const uploads = new Client({ baseUrl: await urlOf(ingest) });
  const reader = new Client({ baseUrl: await urlOf(results) });
  const file = new Blob([await readFile(installation.sample)]);
  const sent = await Promise.all(Array.from({ length: 20 }, () => uploads.recordings.create({ file })));
  const most = { nats: new Map<string, number>(), postgres: new Map<string, number>() };
  let working = true;
  const ended = Promise.all(sent.map(({ id }) => reader.transcripts.wait(id))).finally(() => {
    working = false;
  });
  while (working) {
    const now = await countConnections(server, database);
    for (const kind of ['nats', 'postgres'] as const)
      for (const [name, count] of now[kind]) most[kind].set(name, Math.max(count, most[kind].get(name) ?? 0));
    await pause(200);
  }
  await ended;
  console.log('\n| process | connections to NATS | to PostgreSQL, at most |\n| --- | --- | --- |');
  for (const [name, count] of most.nats)
    console.log(`| ${name} | ${count} | ${most.postgres.get(name) ?? 0} |`);
}

await storedBytes();
const installation = await prepareInstallation();
const server = await startTestBroker({ monitored: true });
const database = await testDatabase();
await connectionsAtWork(installation, server, database).finally(async () => {
  await installation.dispose();
  await server.dispose();
  await database.drop();
});
