import assert from 'node:assert/strict';
import { mkdir, rename, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { Client, type Upload } from '@earshot/client';
import { factSubjects, STREAMS, type Transcript, type UsagePage } from '@earshot/contracts';
import { embeddedOptionsFromEnv, resolveFfmpeg } from '@earshot/embedded';
import { type Broker, connectBroker } from '@earshot/messaging';
import {
  eventually,
  startTestBroker,
  type TestBroker,
  type TestBrokerOptions,
  type TestDatabase,
  tempFolder,
  testDatabase,
} from '@earshot/testkit';
import type { Hear } from '../../../../libs/engine-google/test/speech-server/hear-wav.ts';
import type { SpeechServer } from '../../../../libs/engine-google/test/speech-server/speech-server.ts';
import { startLocalSpeech } from '../../../../libs/engine-google/test/speech-server/start-local.ts';
import { type FakeCloudProcess, startFakeCloud } from '../../../transcription/test/fake-cloud/launch.ts';
import { loginOf, programUsers, refusals } from '../program-users.ts';
import { buildServices } from './build-services.ts';
import { type JobRun, jobRuns } from './job-runs.ts';
import { noise } from './recording.ts';
import { ServiceProcess } from './service-process.ts';
import { CHUNK_SECONDS, startWorker, type WorkerProcess } from './worker-process.ts';

const root = fileURLToPath(new URL('../../../..', import.meta.url));
const PASSWORD = 'earshot';
const FINAL = /^(completed|partial|failed|canceled)$/;

/** How a world is made; everything has a default. */
export interface FaultWorldOptions {
  /** Workers at the start; default 2. */
  readonly workers?: number;
  /** Default 5, the shortest. */
  readonly ackWaitSeconds?: number;
  readonly broker?: TestBrokerOptions;
  /** Folder of recordings; default: one of its own. */
  readonly storage?: string | undefined;
  /** Where PostgreSQL keeps its files; default: a folder of its own. */
  readonly databaseFolder?: string | undefined;
  /** A Speech-to-Text, with the engine `google` over it, and how it hears. */
  readonly google?: { readonly hear?: Hear };
  /** Whether chunks are as long as they are for real, instead of four seconds. */
  readonly realChunks?: boolean;
  /** Times of paid calls, as `PaidTimes`; default: those of an installation. */
  readonly paidTimes?: Readonly<Record<string, number>>;
  /** Settings of all services. */
  readonly env?: Readonly<Record<string, string>>;
}

/**
 * An installation of separate processes: ingest, results and workers with a fake engine, on a real nats-server and a real
 * PostgreSQL. Everything listens on free ports of 127.0.0.1; `close` leaves nothing behind.
 */
export class FaultWorld {
  readonly broker: TestBroker;
  readonly database: TestDatabase;
  readonly cloud: FakeCloudProcess;
  /** Speech-to-Text, where one was asked for. */
  readonly speech: SpeechServer | undefined;
  /** Folder of recordings. */
  readonly storage: string;
  /** Longest chunk. */
  readonly chunkSeconds = CHUNK_SECONDS;
  /** Every worker that was started, dead ones too. */
  readonly workers: WorkerProcess[] = [];
  ingest!: ServiceProcess;
  results!: ServiceProcess;
  readonly #folder: Awaited<ReturnType<typeof tempFolder>>;
  readonly #env: Readonly<Record<string, string>>;
  readonly #paidTimes: Readonly<Record<string, number>>;
  readonly #realChunks: boolean;
  #connection: Promise<Broker> | undefined;
  #seed = 0;
  #workersMade = 0;

  private constructor(parts: {
    broker: TestBroker;
    database: TestDatabase;
    cloud: FakeCloudProcess;
    speech: SpeechServer | undefined;
    folder: Awaited<ReturnType<typeof tempFolder>>;
    storage: string;
    env: Readonly<Record<string, string>>;
    paidTimes: Readonly<Record<string, number>>;
    realChunks: boolean;
  }) {
    this.broker = parts.broker;
    this.database = parts.database;
    this.cloud = parts.cloud;
    this.speech = parts.speech;
    this.storage = parts.storage;
    this.#folder = parts.folder;
    this.#env = parts.env;
    this.#paidTimes = parts.paidTimes;
    this.#realChunks = parts.realChunks;
  }

  static async start(options: FaultWorldOptions = {}): Promise<FaultWorld> {
    const folder = await tempFolder();
    const storage = options.storage ?? join(folder.path, 'recordings');
    const users = await programUsers(PASSWORD);
    const [broker, database, cloud, speech, ffmpeg] = await Promise.all([
      startTestBroker({ ...users, ...options.broker }),
      testDatabase(options.databaseFolder ? { folder: options.databaseFolder } : {}),
      startFakeCloud(),
      options.google ? startLocalSpeech(stagingOf(storage), options.google.hear) : undefined,
      resolveFfmpeg(embeddedOptionsFromEnv(process.env)),
      buildServices(root),
    ]);
    const env = {
      NATS_URL: broker.url,
      DATABASE_URL: database.url,
      EARSHOT_STORAGE_URL: pathToFileURL(storage).href,
      EARSHOT_FFMPEG_BIN: ffmpeg.path,
      EARSHOT_ENGINES: 'free',
      EARSHOT_ACK_WAIT_SECONDS: String(options.ackWaitSeconds ?? 5),
      WORKER_CONCURRENCY: '1',
      PORT: '0',
      ...options.env,
    };
    const { paidTimes = {}, realChunks = false } = options;
    const parts = { broker, database, cloud, speech, folder, storage };
    const world = new FaultWorld({ ...parts, env, paidTimes, realChunks });
    try {
      await world.#startServices(options.workers ?? 2);
      return world;
    } catch (error) {
      await world.close();
      throw error;
    }
  }

  async #startServices(workers: number): Promise<void> {
    const init = new ServiceProcess('init', ['services/combined/dist/init.js'], this.#envOf('init'));
    const { code } = await init.ended;
    if (code !== 0) throw new Error(`init ended with ${code}: ${init.tail()}`);
    this.ingest = this.#service('ingest');
    this.results = this.#service('results');
    await Promise.all([
      urlOf(this.ingest),
      urlOf(this.results),
      ...Array.from({ length: workers }, () => this.startWorker()),
    ]);
  }

  #service(name: 'ingest' | 'results'): ServiceProcess {
    return new ServiceProcess(name, [`services/${name}/dist/main.js`], this.#envOf(name));
  }

  #envOf(program: string): Record<string, string> {
    return { ...this.#env, ...loginOf(program, PASSWORD) };
  }

  /** Starts one more worker and waits until it takes work. */
  async startWorker(): Promise<WorkerProcess> {
    this.#workersMade += 1;
    const name = `worker-${this.#workersMade}`;
    const chunkMs = this.#realChunks ? '' : String(this.chunkSeconds * 1_000);
    const chunks = [chunkMs, JSON.stringify(this.#paidTimes)];
    const speech = this.speech ? [this.speech.endpoint, stagingOf(this.storage)] : [];
    const vendors = [this.cloud.url, ...chunks, ...speech];
    const worker = await startWorker(name, this.broker.port, vendors, this.#envOf('transcription'));
    this.workers.push(worker);
    await worker.logged('that it is ready', ({ msg }) => msg === 'worker ready');
    return worker;
  }

  /** Submits a recording of its own sound, by default one of a single chunk; returns the transcript's id. */
  async submit(options: Partial<Upload> & { seconds?: number } = {}): Promise<string> {
    const { seconds = 2, ...upload } = options;
    this.#seed += 1;
    const file = noise(seconds, this.#seed);
    const client = new Client({ baseUrl: await urlOf(this.ingest) });
    const { id } = await client.recordings.create({ file, ...upload });
    return id;
  }

  /** A transcript as results has it. */
  async transcript(id: string): Promise<Transcript> {
    return new Client({ baseUrl: await urlOf(this.results) }).transcripts.get(id);
  }

  /** A transcript in its final state. */
  finished(id: string, timeoutMs = 60_000): Promise<Transcript> {
    const what = `a final state of ${id}`;
    const final = async () => {
      const transcript = await this.transcript(id);
      return FINAL.test(transcript.status) && transcript;
    };
    return eventually(what, final, timeoutMs);
  }

  /** What paid engines charged for, as results has it. */
  async usage(): Promise<UsagePage> {
    return new Client({ baseUrl: await urlOf(this.results) }).usage.get();
  }

  /** How many facts there are about a transcript. */
  facts(id: string): Promise<number> {
    return this.#countFacts(factSubjects('default', id).any);
  }

  /** How many facts say that somebody gave up. */
  gaveUps(): Promise<number> {
    return this.#countFacts('transcripts.*.*.gave_up.>');
  }

  async #countFacts(subject: string): Promise<number> {
    const { api } = await this.connection();
    const { state } = await api.call<{ state: { subjects?: Record<string, number> } }>(
      `STREAM.INFO.${STREAMS.transcripts}`,
      { subjects_filter: subject },
    );
    return Object.values(state.subjects ?? {}).reduce((sum, count) => sum + count, 0);
  }

  /** Every service that should be at work. */
  services(): ServiceProcess[] {
    return [this.ingest, this.results, ...this.workers];
  }

  /** A connection of the test's own, past all proxies. */
  connection(): Promise<Broker> {
    this.#connection ??= connectBroker({ servers: [this.broker.url], name: 'test', log: silent });
    return this.#connection;
  }

  /** Runs of chunk jobs that match, oldest first. */
  chunkRuns(matches: (run: JobRun) => boolean = () => true): JobRun[] {
    return jobRuns(this.workers, (run) => run.stage === 'chunk' && matches(run));
  }

  /** The first run that matches, now or within `timeoutMs` (60 s). */
  run(what: string, matches: (run: JobRun) => boolean, timeoutMs = 60_000): Promise<JobRun> {
    return eventually(what, () => this.chunkRuns(matches)[0], timeoutMs);
  }

  /** Where the doors and pages of a service are. */
  url(service: 'ingest' | 'results'): Promise<string> {
    return urlOf(this[service]);
  }

  /** The volume of recordings goes away: what is left is the empty folder on which it was mounted. */
  async takeStorageAway(): Promise<void> {
    await rename(this.storage, `${this.storage}.away`);
    await mkdir(this.storage);
  }

  async bringStorageBack(): Promise<void> {
    await rmdir(this.storage);
    await rename(`${this.storage}.away`, this.storage);
  }

  /** Ends every process and removes every trace, and fails when one of them wanted more in NATS than it may. */
  async close(): Promise<void> {
    const services = [this.ingest, this.results, ...this.workers].filter(Boolean);
    for (const service of services) service.signal('SIGCONT');
    await Promise.all(services.map((service) => service.kill()));
    await (await this.#connection)?.close();
    await this.speech?.close();
    const refused = await refusals(this.broker);
    await Promise.all([this.cloud.dispose(), this.broker.dispose(), this.database.drop()]);
    await this.#folder.remove();
    assert.deepEqual(refused, []);
  }
}

/** The folder that stands for Google's bucket. */
const stagingOf = (storage: string) => `${storage}.staging`;

const silent = { debug() {}, info() {}, warn() {}, error() {} };

const urlOf = async (service: ServiceProcess) =>
  String((await service.logged('its address', ({ url }) => typeof url === 'string')).url);
