import assert from 'node:assert/strict';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import {
  embeddedOptionsFromEnv,
  linkSpeechModel,
  resolveFfmpeg,
  resolveSpeechModel,
} from '@earshot/embedded';
import {
  type SmallDisk,
  smallDisk,
  startTcpProxy,
  startTestBroker,
  type TcpProxy,
  type TestBroker,
  type TestDatabase,
  tempFolder,
  testDatabase,
} from '@earshot/testkit';
import { cloudEngines } from '../../../transcription/test/fake-cloud/engines.ts';
import { type FakeCloudProcess, startFakeCloud } from '../../../transcription/test/fake-cloud/launch.ts';
import { buildServices } from '../faults/build-services.ts';
import { ServiceProcess } from '../faults/service-process.ts';
import { loginOf, programUsers, refusals } from '../program-users.ts';
import { CHUNK_MS } from './recordings.ts';
import type { Edge, Service } from './schedule.ts';
import { Supervised } from './supervised.ts';

/** Folder of this repository. */
export const REPOSITORY = fileURLToPath(new URL('../../../..', import.meta.url));
const WORKER = 'services/transcription/dist/fake-cloud/test/fake-cloud/main.js';
/** As between the times of an installation, so between these: a frozen worker's call still counts as on its way. */
const PAID_TIMES = {
  callMs: 10_000,
  neverArrivedMs: 20_000,
  unclearMs: 20_000,
  lookEveryMs: 500,
  pollEveryMs: 20,
};
const PASSWORD = 'earshot';
const STORE_BYTES = 1_900_000_000;
/** Enough for every recording and chunk of a large round. */
const DISK_MB = 2_048;

/** Engines of the vendor that this build knows. */
export const VENDOR_ENGINES: readonly string[] = Object.keys(cloudEngines(''));
/** Calls at once that the vendor's quotas allow. */
export const QUOTAS: Readonly<Record<string, number>> = { lookup: 6 };

/** Chunks of an engine that one worker has in work at once. */
export const SLOTS = 4;

export interface ChaosWorldOptions {
  readonly workers: number;
  readonly ackWaitSeconds: number;
  /** Whether the first worker also runs the local engine. */
  readonly sherpa: boolean;
  /** The checkout whose builds are run; default: this one. */
  readonly repository?: string | undefined;
}

type Folder = Awaited<ReturnType<typeof tempFolder>>;

interface Servers {
  readonly broker: TestBroker;
  readonly database: TestDatabase;
  readonly cloud: FakeCloudProcess;
  readonly folder: Folder;
  readonly disk: SmallDisk | undefined;
}

/** A whole installation of processes that are started again when they die, with a proxy on every edge between them. */
export class ChaosWorld {
  readonly broker: TestBroker;
  readonly database: TestDatabase;
  readonly cloud: FakeCloudProcess;
  /** What recordings lie on, where one may be mounted. */
  readonly disk: SmallDisk | undefined;
  /** Folder of recordings. */
  readonly storage: string;
  readonly services = new Map<Service, Supervised>();
  readonly edges = new Map<Edge, TcpProxy>();
  /** A real recording; undefined without the local engine. */
  sample: string | undefined;
  readonly #folder: Folder;
  readonly #repository: string;

  private constructor({ broker, database, cloud, folder, disk }: Servers, repository: string) {
    this.broker = broker;
    this.database = database;
    this.cloud = cloud;
    this.disk = disk;
    this.storage = join(disk?.path ?? folder.path, 'recordings');
    this.#folder = folder;
    this.#repository = repository;
  }

  static async start(options: ChaosWorldOptions): Promise<ChaosWorld> {
    const repository = options.repository ?? REPOSITORY;
    await buildServices(repository);
    const users = await programUsers(PASSWORD);
    const [broker, database, cloud, folder, disk] = await Promise.all([
      startTestBroker({ ...users, maxFile: STORE_BYTES }),
      testDatabase(),
      startFakeCloud(),
      tempFolder(),
      smallDisk(DISK_MB),
    ]);
    const world = new ChaosWorld({ broker, database, cloud, folder, disk }, repository);
    try {
      await world.#startServices(options);
      return world;
    } catch (error) {
      await world.close();
      throw error;
    }
  }

  /** The services of one kind, e.g. `ingest`. */
  of(kind: string): Supervised[] {
    return [...this.services].filter(([name]) => name.startsWith(kind)).map(([, service]) => service);
  }

  /** Every process of a kind that ever ran. */
  runsOf(kind: string): ServiceProcess[] {
    return this.of(kind).flatMap(({ runs }) => runs);
  }

  /** Ends everything, and fails when a program wanted more in NATS than it may. */
  async close(): Promise<void> {
    await Promise.all([...this.services.values()].map((service) => service.close()));
    await Promise.all([...this.edges.values()].map((edge) => edge.close()));
    this.broker.resume();
    this.database.resume();
    const refused = await refusals(this.broker);
    await Promise.all([this.cloud.dispose(), this.broker.dispose(), this.database.drop()]);
    await Promise.all([this.#folder.remove(), this.disk?.remove()]);
    assert.deepEqual(refused, []);
  }

  async #startServices(options: ChaosWorldOptions): Promise<void> {
    const env = await this.#environment(options);
    const init = new ServiceProcess(
      'init',
      ['services/combined/dist/init.js'],
      {
        ...{ ...env, ...loginOf('init', PASSWORD) },
        ...{ NATS_URL: this.broker.url, DATABASE_URL: this.database.url },
      },
      this.#repository,
    );
    const { code } = await init.ended;
    if (code !== 0) throw new Error(`init ended with ${code}: ${init.tail()}`);
    for (const name of ['ingest', 'results'] as const) {
      for (const n of [0, 1])
        await this.#startService(`${name}-${n}`, [`services/${name}/dist/main.js`], env);
    }
    for (let n = 0; n < options.workers; n += 1) {
      const engines = n === 0 ? env.EARSHOT_ENGINES : VENDOR_ENGINES.join();
      const args = [WORKER, this.cloud.url, String(CHUNK_MS), JSON.stringify(PAID_TIMES)];
      await this.#startService(`worker-${n}`, args, { ...env, EARSHOT_ENGINES: engines ?? '' });
    }
    await Promise.all(
      [...this.services.values()].map(({ current }) =>
        current.logged('that it is ready', ({ msg }) => msg?.endsWith(' ready')),
      ),
    );
  }

  async #environment({ ackWaitSeconds, sherpa }: ChaosWorldOptions): Promise<Record<string, string>> {
    const options = embeddedOptionsFromEnv(process.env);
    const ffmpeg = await resolveFfmpeg(options);
    const quotas = Object.entries(QUOTAS).filter(([engine]) => VENDOR_ENGINES.includes(engine));
    return {
      EARSHOT_STORAGE_URL: pathToFileURL(this.storage).href,
      EARSHOT_FFMPEG_BIN: ffmpeg.path,
      EARSHOT_ENGINES: [...VENDOR_ENGINES, ...(sherpa ? ['sherpa'] : [])].join(),
      EARSHOT_ACK_WAIT_SECONDS: String(ackWaitSeconds),
      ...(quotas.length > 0 ? { EARSHOT_MAX_ACK_PENDING: quotas.map((pair) => pair.join('=')).join() } : {}),
      ...(sherpa ? { EARSHOT_MODEL_DIR: await this.#model() } : {}),
      WORKER_CONCURRENCY: String(SLOTS),
      PORT: '0',
    };
  }

  /** The parts of the speech model in one folder, as installations have them. */
  async #model(): Promise<string> {
    const model = await resolveSpeechModel(embeddedOptionsFromEnv(process.env));
    const folder = await linkSpeechModel(model, join(this.#folder.path, 'model'));
    this.sample = model.samples.find((path) => path.endsWith('beckett.wav'));
    return folder;
  }

  async #startService(name: Service, args: readonly string[], env: Record<string, string>): Promise<void> {
    const [kind = ''] = name.split('-');
    const own = {
      ...loginOf(kind === 'worker' ? 'transcription' : kind, PASSWORD),
      NATS_URL: await this.#behindProxy(`${name}/nats`, this.broker.url),
      ...(name.startsWith('results')
        ? { DATABASE_URL: await this.#behindProxy(`${name}/postgres`, this.database.url) }
        : {}),
    };
    const command = { args, env: { ...env, ...own }, cwd: this.#repository };
    this.services.set(name, new Supervised(name, command));
  }

  async #behindProxy(edge: Edge, address: string): Promise<string> {
    const url = new URL(address);
    const proxy = await startTcpProxy(Number(url.port));
    this.edges.set(edge, proxy);
    url.port = String(proxy.port);
    return url.href;
  }
}
