import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { Client } from '@earshot/client';
import type { Transcript } from '@earshot/contracts';
import { embeddedOptionsFromEnv, resolveFfmpeg } from '@earshot/embedded';
import { type Broker, connectBroker } from '@earshot/messaging';
import { createGcsStorage } from '@earshot/storage-gcs';
import {
  eventually,
  hearNumbers,
  startTestBroker,
  type TestBroker,
  type TestDatabase,
  tempFolder,
  testDatabase,
} from '@earshot/testkit';
import { SpeechServer } from '../../../../libs/engine-google/test/speech-server/speech-server.ts';
import { type FakeGcs, startFakeGcs } from '../../../../libs/storage-gcs/test/fake-gcs.ts';
import { buildServices } from '../faults/build-services.ts';
import { ServiceProcess } from '../faults/service-process.ts';

const root = fileURLToPath(new URL('../../../..', import.meta.url));
const FINAL = /^(completed|partial|failed|canceled)$/;
const silent = { debug() {}, info() {}, warn() {}, error() {} };

/** The bucket that uploads are put into by somebody else, and ours. */
export const UPLOADS = 'customer-uploads';
const OURS = 'earshot-store';

/**
 * An installation on Google as far as this machine has it: every service a process of its own as it is deployed, storage
 * clients against an emulator, the speech client against a server of the vendor's protos that hears numbers.
 */
export class GsWorld {
  readonly gcs: FakeGcs;
  readonly speech: SpeechServer;
  readonly broker: TestBroker;
  readonly workers: ServiceProcess[] = [];
  readonly #database: TestDatabase;
  readonly #folder: Awaited<ReturnType<typeof tempFolder>>;
  readonly #env: Readonly<Record<string, string>>;
  readonly #services = new Map<string, ServiceProcess>();
  #connection: Promise<Broker> | undefined;

  /** `store`: recordings that come through our door are kept in a bucket, or in a folder of this machine. */
  static async start(fakeGcs: string, store: 'bucket' | 'folder' = 'bucket'): Promise<GsWorld> {
    const folder = await tempFolder();
    const [gcs, broker, database, ffmpeg] = await Promise.all([
      startFakeGcs(fakeGcs),
      startTestBroker(),
      testDatabase(),
      resolveFfmpeg(embeddedOptionsFromEnv(process.env)),
      buildServices(root),
    ]);
    for (const bucket of [UPLOADS, OURS]) await gcs.makeBucket(bucket);
    const speech = await startSpeech(gcs.url);
    const buckets = join(folder.path, 'buckets.json');
    await writeFile(buckets, JSON.stringify({ default: [`gs://${UPLOADS}/calls`] }));
    const env = {
      NATS_URL: broker.url,
      DATABASE_URL: database.url,
      ...(store === 'bucket'
        ? { EARSHOT_STORAGE_URL: `gs://${OURS}/earshot` }
        : {
            EARSHOT_STORAGE_URL: pathToFileURL(join(folder.path, 'storage')).href,
            EARSHOT_GOOGLE_STAGING_URL: `gs://${OURS}/staging`,
          }),
      EARSHOT_GOOGLE_STORAGE_ENDPOINT: gcs.url,
      EARSHOT_GOOGLE_SPEECH_ENDPOINT: speech.endpoint,
      EARSHOT_BUCKETS_FILE: buckets,
      EARSHOT_FFMPEG_BIN: ffmpeg.path,
      EARSHOT_ENGINES: 'google',
      EARSHOT_ACK_WAIT_SECONDS: '5',
      GOOGLE_PROJECT_ID: 'local',
      PORT: '0',
    };
    const world = new GsWorld({ gcs, speech, broker, database, folder, env });
    await world.#startServices().catch(async (error) => {
      await world.close();
      throw error;
    });
    return world;
  }

  private constructor(parts: {
    gcs: FakeGcs;
    speech: SpeechServer;
    broker: TestBroker;
    database: TestDatabase;
    folder: Awaited<ReturnType<typeof tempFolder>>;
    env: Readonly<Record<string, string>>;
  }) {
    this.gcs = parts.gcs;
    this.speech = parts.speech;
    this.broker = parts.broker;
    this.#database = parts.database;
    this.#folder = parts.folder;
    this.#env = parts.env;
  }

  /** A bucket, to look at and to put things into, past all services. */
  bucket(name: 'uploads' | 'ours') {
    return createGcsStorage({ bucket: name === 'ours' ? OURS : UPLOADS, apiEndpoint: this.gcs.url });
  }

  /** Starts one more worker and waits until it takes work. */
  async startWorker(): Promise<ServiceProcess> {
    const worker = new ServiceProcess('transcription', ['services/transcription/dist/main.js'], this.#env);
    this.workers.push(worker);
    await worker.logged('that it is ready', ({ msg }) => msg === 'worker ready');
    return worker;
  }

  /** Where the doors and pages of a service are. */
  async url(name: 'ingest' | 'results'): Promise<string> {
    const service = this.#services.get(name);
    if (!service) throw new Error(`there is no ${name}`);
    return String((await service.logged('its address', ({ url }) => typeof url === 'string')).url);
  }

  async client(name: 'ingest' | 'results'): Promise<Client> {
    return new Client({ baseUrl: await this.url(name) });
  }

  /** A transcript in its final state; one that nobody knows yet is waited for. */
  finished(id: string, timeoutMs = 60_000): Promise<Transcript> {
    const final = async () => {
      const transcript = await (await this.client('results')).transcripts.get(id).catch(() => undefined);
      return transcript && FINAL.test(transcript.status) && transcript;
    };
    return eventually(`a final state of ${id}`, final, timeoutMs);
  }

  /** A connection of the test's own. */
  connection(): Promise<Broker> {
    this.#connection ??= connectBroker({ servers: [this.broker.url], name: 'test', log: silent });
    return this.#connection;
  }

  /** Ends every process and removes every trace. */
  async close(): Promise<void> {
    await Promise.all([...this.#services.values(), ...this.workers].map((service) => service.kill()));
    await (await this.#connection)?.close();
    await Promise.all([this.speech.close(), this.gcs.stop(), this.broker.dispose(), this.#database.drop()]);
    await this.#folder.remove();
  }

  async #startServices(): Promise<void> {
    const init = new ServiceProcess('init', ['services/combined/dist/init.js'], this.#env);
    if ((await init.ended).code !== 0) throw new Error(`init failed: ${init.tail()}`);
    for (const name of ['ingest', 'results'] as const) {
      this.#services.set(name, new ServiceProcess(name, [`services/${name}/dist/main.js`], this.#env));
    }
    await Promise.all([this.url('ingest'), this.url('results'), this.startWorker()]);
  }
}

function startSpeech(apiEndpoint: string): Promise<SpeechServer> {
  const placeOf = (uri: string) => {
    const [, bucket = '', key = ''] = /^gs:\/\/([^/]+)\/(.+)$/.exec(uri) ?? [];
    return { bucket: createGcsStorage({ bucket, apiEndpoint }), key };
  };
  const objects = {
    read: (uri: string) => {
      const { bucket, key } = placeOf(uri);
      return bucket.read(key, 256 * 1024 * 1024);
    },
    write: async (uri: string, bytes: Buffer) => {
      const { bucket, key } = placeOf(uri);
      await bucket.put(key, bytes);
    },
  };
  const hear = (samples: Int16Array) =>
    hearNumbers(samples).map(({ number, ...times }) => ({ ...times, text: String(number) }));
  return SpeechServer.start({ objects, hear });
}
