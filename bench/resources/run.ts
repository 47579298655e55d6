// `npm run bench:resources [-- 1 2 4]`: throughput, time of a job, CPU and memory of one worker at several values of
// WORKER_CONCURRENCY, with the local engine and with Google's client against a server of the vendor's protos whose
// operations take two seconds. Services are the built ones, each a process of its own, on a real broker and PostgreSQL.
import { execFile } from 'node:child_process';
import { openAsBlob } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { Client } from '@earshot/client';
import {
  embeddedOptionsFromEnv,
  linkSpeechModel,
  resolveFfmpeg,
  resolveSpeechModel,
} from '@earshot/embedded';
import { type Broker, connectBroker } from '@earshot/messaging';
import { startTestBroker, tempFolder, testDatabase } from '@earshot/testkit';
import { buildServices } from '../../services/combined/test/faults/build-services.ts';
import { FaultWorld } from '../../services/combined/test/faults/fault-world.ts';
import { ServiceProcess } from '../../services/combined/test/faults/service-process.ts';
import { type Measured, measure } from './measure.ts';

const given = process.argv.slice(2).map(Number);
const LEVELS = given.length > 0 ? given : [1, 2, 4, 8, 12];
const SECONDS = 20;
const OPERATION_MS = 2_000;
/** As in the image (deploy/Dockerfile). */
const FLAGS = ['--max-semi-space-size=1'];

const root = fileURLToPath(new URL('../..', import.meta.url));
const log = { debug() {}, info() {}, warn() {}, error() {} };
const options = embeddedOptionsFromEnv(process.env);
const recordingsFor = (concurrency: number) => Math.max(16, 4 * concurrency);
const urlOf = (service: ServiceProcess) =>
  service.logged('its address', (line) => typeof line.url === 'string').then((line) => String(line.url));

function print(engine: string, rows: readonly Measured[]): void {
  console.log(`\n${engine}\n
| concurrency | audio s in a second | p50 | p95 of a job | cores | memory at its peak |
| --- | --- | --- | --- | --- | --- |`);
  for (const row of rows) {
    const { concurrency, throughput, p50, p95, cores, peakMb } = row;
    const cells = [
      `${p50.toFixed(1)} s`,
      `${p95.toFixed(1)} s`,
      cores.toFixed(2),
      `${Math.round(peakMb)} MB`,
    ];
    console.log(`| ${[concurrency, throughput.toFixed(1), ...cells].join(' | ')} |`);
  }
}

/** A recording of `SECONDS` s of speech. */
async function speech(folder: string, ffmpeg: string, sample: string): Promise<Blob> {
  const path = join(folder, 'speech.wav');
  const cut = ['-stream_loop', '-1', '-i', sample, '-t', String(SECONDS), '-ar', '16000', '-ac', '1', path];
  await promisify(execFile)(ffmpeg, ['-loglevel', 'error', ...cut]);
  return openAsBlob(path);
}

async function withSherpa(): Promise<Measured[]> {
  const folder = await tempFolder();
  const [nats, postgres, ffmpeg, model] = await Promise.all([
    startTestBroker(),
    testDatabase(),
    resolveFfmpeg(options),
    resolveSpeechModel(options),
  ]);
  const parts = await linkSpeechModel(model, join(folder.path, 'model'));
  const env = {
    NATS_URL: nats.url,
    DATABASE_URL: postgres.url,
    EARSHOT_STORAGE_URL: pathToFileURL(join(folder.path, 'storage')).href,
    EARSHOT_FFMPEG_BIN: ffmpeg.path,
    EARSHOT_MODEL_DIR: parts,
    PORT: '0',
  };
  const service = (name: string, more = {}) =>
    new ServiceProcess(name, [...FLAGS, `services/${name}/dist/main.js`], { ...env, ...more });
  const init = new ServiceProcess('init', ['services/combined/dist/init.js'], env);
  if ((await init.ended).code !== 0) throw new Error(init.tail());
  const others = [service('ingest'), service('results')] as const;
  const broker = await connectBroker({ servers: [nats.url], name: 'bench', log });
  try {
    const ingest = new Client({ baseUrl: await urlOf(others[0]) });
    const file = await speech(folder.path, ffmpeg.path, model.samples[0] ?? '');
    const rows: Measured[] = [];
    for (const concurrency of LEVELS) {
      const worker = service('transcription', { WORKER_CONCURRENCY: String(concurrency) });
      await worker.logged('that it is ready', ({ msg }) => msg === 'worker ready');
      const load = { concurrency, file, seconds: SECONDS, recordings: recordingsFor(concurrency) };
      rows.push(await measure(load, { worker, ingest, broker }));
      worker.signal('SIGTERM');
      await worker.ended;
    }
    return rows;
  } finally {
    await broker.close();
    await Promise.all(others.map((one) => one.kill()));
    await Promise.all([nats.dispose(), postgres.drop()]);
    await folder.remove();
  }
}

async function withGoogle(): Promise<Measured[]> {
  const folder = await tempFolder();
  const [ffmpeg, model] = await Promise.all([resolveFfmpeg(options), resolveSpeechModel(options)]);
  const file = await speech(folder.path, ffmpeg.path, model.samples[0] ?? '');
  const rows: Measured[] = [];
  try {
    for (const concurrency of LEVELS) {
      const world = await FaultWorld.start({
        ...{ workers: 1, google: {}, realChunks: true },
        env: {
          ...{ EARSHOT_ENGINES: 'google', EARSHOT_MAX_ACK_PENDING: 'google=100' },
          WORKER_CONCURRENCY: String(concurrency),
        },
      });
      try {
        world.speech?.behave({ operationMs: OPERATION_MS });
        const worker = world.workers[0] as ServiceProcess;
        const ingest = new Client({ baseUrl: await world.url('ingest') });
        const broker: Broker = await world.connection();
        const load = { concurrency, file, seconds: SECONDS, recordings: recordingsFor(concurrency) };
        rows.push(await measure(load, { worker, ingest, broker }));
      } finally {
        await world.close();
      }
    }
    return rows;
  } finally {
    await folder.remove();
  }
}

await buildServices(root);
console.log(
  `recordings of ${SECONDS} s, one chunk each; ${availableParallelism()} cores, Node ${process.version}; ` +
    'the broker, PostgreSQL, ingest and results are on the same machine',
);
print('the local engine (sherpa, Moonshine tiny)', await withSherpa());
print(`Google, operations of ${OPERATION_MS / 1_000} s`, await withGoogle());
