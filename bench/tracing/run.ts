// `npm run bench:tracing`: what tracing costs. The same recordings, each cut into one short chunk for the local engine, go
// through built, separate services with OpenTelemetry on (10 % sampled, sent by OTLP to a receiver here) and off, in
// interleaved pairs. Counted is the CPU time of ingest, transcription with its children (ffmpeg, engine), and results.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { Client } from '@earshot/client';
import {
  embeddedOptionsFromEnv,
  linkSpeechModel,
  resolveFfmpeg,
  resolveSpeechModel,
} from '@earshot/embedded';
import { connectBroker } from '@earshot/messaging';
import { eventually, startTestBroker, tempFolder, testDatabase } from '@earshot/testkit';
import { buildServices } from '../../services/combined/test/faults/build-services.ts';
import { ServiceProcess } from '../../services/combined/test/faults/service-process.ts';
import { cpuSeconds } from '../process-tree.ts';
import { noopSecondsPerJob } from './noop-spans.ts';
import { startReceiver } from './receiver.ts';

const PAIRS = Number(process.argv[2] ?? 5);
const JOBS = Number(process.argv[3] ?? 100);
/** Until everything is loaded and compiled. */
const WARM_JOBS = 25;
const AT_ONCE = 20;
const MOST = 1.05;

const root = fileURLToPath(new URL('../..', import.meta.url));
const log = { debug() {}, info() {}, warn() {}, error() {} };
const options = embeddedOptionsFromEnv(process.env);
const url = (service: ServiceProcess) =>
  service.logged('its address', (line) => typeof line.url === 'string').then((line) => String(line.url));

/** Submits `count` recordings, some at once; their final facts tell the end, as asking for it would be traced and counted too. */
async function transcribe(file: Blob, count: number, ingest: Client): Promise<void> {
  const completed = broker.connection.subscribe('transcripts.*.*.completed', { max: count });
  await broker.connection.flush();
  const slots = Array.from({ length: Math.min(count, AT_ONCE) }, () => ingest.recordings.create({ file }));
  await Promise.all(slots);
  let left = count - slots.length;
  for await (const _ of completed) {
    if (left > 0) await ingest.recordings.create({ file });
    left -= 1;
  }
}

/** CPU seconds per 1,000 chunk jobs of services started for this run alone. */
async function run(file: Blob, env: Record<string, string>): Promise<number> {
  const services = ['ingest', 'results', 'transcription'].map(
    (name) => new ServiceProcess(name, [`services/${name}/dist/main.js`], env),
  );
  const [ingest, results, transcription] = services as [ServiceProcess, ServiceProcess, ServiceProcess];
  try {
    await transcription.logged('that it is ready', ({ msg }) => msg === 'worker ready');
    await url(results);
    const client = new Client({ baseUrl: await url(ingest) });
    const used = async () =>
      (await Promise.all(services.map(({ pid }) => cpuSeconds(pid)))).reduce((sum, one) => sum + one, 0);
    await transcribe(file, WARM_JOBS, client);
    const before = await used();
    await transcribe(file, JOBS, client);
    return ((await used()) - before) * (1_000 / JOBS);
  } finally {
    for (const service of services) service.signal('SIGTERM');
    await Promise.all(services.map(({ ended }) => ended));
  }
}

const median = (values: readonly number[]) =>
  values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)] ?? 0;
const range = (values: readonly number[], digits: number) =>
  `${Math.min(...values).toFixed(digits)} to ${Math.max(...values).toFixed(digits)}`;

const folder = await tempFolder();
const [nats, postgres, ffmpeg, model, receiver] = await Promise.all([
  startTestBroker(),
  testDatabase(),
  resolveFfmpeg(options),
  resolveSpeechModel(options),
  startReceiver(),
  buildServices(root),
]);
const broker = await connectBroker({ servers: [nats.url], name: 'bench', log });
try {
  const parts = await linkSpeechModel(model, join(folder.path, 'model'));
  const off = {
    NATS_URL: nats.url,
    DATABASE_URL: postgres.url,
    EARSHOT_STORAGE_URL: pathToFileURL(join(folder.path, 'storage')).href,
    EARSHOT_FFMPEG_BIN: ffmpeg.path,
    EARSHOT_MODEL_DIR: parts,
    WORKER_CONCURRENCY: '1',
    // A child that is renewed in the middle would be counted in one run and not in the other.
    WORKER_MAX_TASKS_PER_CHILD: '100000',
    PORT: '0',
  };
  const on = {
    ...off,
    OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
    OTEL_METRICS_EXPORTER: 'none',
    OTEL_TRACES_SAMPLER: 'parentbased_traceidratio',
    OTEL_TRACES_SAMPLER_ARG: '0.1',
  };
  const init = new ServiceProcess('init', ['services/combined/dist/init.js'], off);
  if ((await init.ended).code !== 0) throw new Error(init.tail());
  const sample = model.samples.find((path) => path.endsWith('beckett.wav')) ?? '';
  const file = new Blob([await readFile(sample)]);
  const pairs: { on: number; off: number }[] = [];
  for (let pair = 0; pair < PAIRS; pair += 1) {
    // Every other pair the other way round, so that what drifts falls on both alike.
    const first = pair % 2 === 0 ? 'off' : 'on';
    const one = await run(file, first === 'on' ? on : off);
    const other = await run(file, first === 'on' ? off : on);
    const found = first === 'on' ? { on: one, off: other } : { on: other, off: one };
    pairs.push(found);
    console.log(
      `pair ${pair + 1}: on ${found.on.toFixed(1)}, off ${found.off.toFixed(1)} CPU seconds per 1,000 chunk jobs, ` +
        `ratio ${(found.on / found.off).toFixed(3)}`,
    );
  }
  await eventually('sampled traces at the receiver', () => receiver.requests() > 0);
  const ratios = pairs.map((pair) => pair.on / pair.off);
  const offSeconds = median(pairs.map((pair) => pair.off));
  const noop = (await noopSecondsPerJob()) * 1_000;
  const passed = median(ratios) <= MOST;
  console.log(`
tracing on, 10 % sampled, against off: ratio ${median(ratios).toFixed(3)} (median of ${PAIRS} pairs of ${JOBS} jobs each way; ${range(ratios, 3)})
off: ${offSeconds.toFixed(1)} CPU seconds per 1,000 chunk jobs (${range(
    pairs.map((pair) => pair.off),
    1,
  )}); the receiver got ${receiver.requests()} requests, ${receiver.bytes()} bytes
the spans of the API without an SDK, which are left when tracing is off: ${noop.toFixed(3)} CPU seconds per 1,000 jobs, ${((noop / offSeconds) * 100).toFixed(3)} %
${passed ? 'ok     ' : 'not ok '} the median ratio at most ${MOST}`);
  process.exitCode = passed ? 0 : 1;
} finally {
  await receiver.close();
  await broker.close();
  await Promise.all([nats.dispose(), postgres.drop()]);
  await folder.remove();
}
