import { randomBytes, randomUUID } from 'node:crypto';
import { SAMPLE_RATE, writeWav } from '@earshot/audio';
import { chunkFact, chunkJob, DURABLES, factSubjects, gaveUp, topology } from '@earshot/contracts';
import { applyTopology, type Broker, connectBroker, type JobLoop, startJobLoop } from '@earshot/messaging';
import type { ObjectStorage } from '@earshot/storage';
import { noTenantBuckets } from '@earshot/storage';
import { openFileStorage } from '@earshot/storage-file';
import { eventually, startTestBroker, type TestBroker, tempFolder } from '@earshot/testkit';
import { EngineGuard, GuardedEngine } from '../src/circuit/guarded-engine.ts';
import type { EngineRunner, EngineWatcher } from '../src/engine-runner.ts';
import { chunkJobs } from '../src/job-kinds.ts';
import { PaidCalls } from '../src/paid/paid-calls.ts';
import { transcribeChunk } from '../src/transcribe-chunk.ts';
import { keptLog } from './fakes.ts';

/** A real broker and store, and a worker for chunks with an engine of the test's choice. */
export class WorkerWorld {
  readonly id = randomUUID();
  readonly traceId = randomBytes(16).toString('hex');
  readonly log = keptLog();
  readonly server: TestBroker;
  readonly broker: Broker;
  readonly storage: ObjectStorage;
  readonly #folder: Awaited<ReturnType<typeof tempFolder>>;
  readonly #loops: JobLoop[] = [];
  readonly #engines: GuardedEngine[] = [];

  static async open(): Promise<WorkerWorld> {
    const folder = await tempFolder();
    const server = await startTestBroker();
    const broker = await connectBroker({ servers: [server.url], name: 'test', log: keptLog() });
    const settings = { engines: ['sherpa'], ackWaitSeconds: 5, maxAckPending: {}, storeBytes: 1e8 };
    await applyTopology(broker, topology({ ...settings, factsDays: 1, replicas: 1 }));
    const storage = await openFileStorage({ root: folder.path });
    return new WorkerWorld(folder, server, broker, storage);
  }

  private constructor(
    folder: Awaited<ReturnType<typeof tempFolder>>,
    server: TestBroker,
    broker: Broker,
    storage: ObjectStorage,
  ) {
    this.#folder = folder;
    this.server = server;
    this.broker = broker;
    this.storage = storage;
  }

  /** Takes chunk jobs with `slots` at once; failed attempts are repeated soon. */
  async startWorker(
    start: (watcher: EngineWatcher) => EngineRunner | Promise<EngineRunner>,
    { slots = 2, maxAttempts = 2 } = {},
  ): Promise<GuardedEngine> {
    const guard = new EngineGuard('sherpa', async () => false, this.log);
    const engine = new GuardedEngine(await start(guard.circuit), guard);
    const handler = transcribeChunk({
      ...{ engine, storage: this.storage, buckets: noTenantBuckets, facts: this.broker.facts, worker: 'w-1' },
      paidCalls: new PaidCalls({ storage: this.storage, worker: 'w-1', log: this.log }),
      isStorageAway: async () => false,
      taskTimeLimitMs: 60_000,
    });
    const durables = {
      high: DURABLES.chunk('sherpa', 'high'),
      normal: DURABLES.chunk('sherpa', 'normal'),
      low: DURABLES.chunk('sherpa', 'low'),
    };
    const settings = { ackWaitMs: 5_000, maxAttempts, backoff: () => 50 };
    const kind = chunkJobs;
    const { broker, log } = this;
    const loop = startJobLoop({ broker, durables, slots, kind, handler, worker: 'w-1', settings, log });
    engine.valve.attach(loop);
    this.#loops.push(loop);
    this.#engines.push(engine);
    return engine;
  }

  /** Publishes the job of chunk `n`, a second of silence. */
  async publish(n: number, language?: string): Promise<void> {
    const key = `acme/${this.id}/chunks/1-${n}-x`;
    await this.storage.put(key, writeWav(new Int16Array(SAMPLE_RATE), 1, SAMPLE_RATE));
    const place = { tenant_id: 'acme', transcript_id: this.id, plan: 1, n, generation: 0, attempt: 1 };
    const wish = { engine: 'sherpa', lane: 'normal', channels: 'auto' } as const;
    const data = { ...place, ...wish, key, start_ms: n * 1000, end_ms: (n + 1) * 1000 };
    const traceparent = `00-${this.traceId}-00f067aa0ba902b7-01`;
    await this.broker.publisher.publishFirst(
      chunkJob.create({ ...data, ...(language ? { language } : {}) }, { source: 'test', traceparent }),
    );
  }

  async chunk(n: number, limitMs = 30_000) {
    const subject = factSubjects('acme', this.id).chunk(1, n);
    const found = await eventually(`chunk ${n}`, () => this.broker.facts.last(subject), limitMs);
    return chunkFact.read(found.event);
  }

  async gaveUp(n: number) {
    const subject = factSubjects('acme', this.id).gaveUp('chunk', 1, n);
    const found = await eventually(`chunk ${n} given up`, () => this.broker.facts.last(subject), 30_000);
    return gaveUp.read(found.event);
  }

  async chunksDone(): Promise<number> {
    const { state } = await this.broker.api.call<{ state: { num_subjects: number } }>(
      'STREAM.INFO.TRANSCRIPTS',
    );
    return state.num_subjects;
  }

  /** Whether any chunk was given up on so far. */
  async anyGaveUp(): Promise<boolean> {
    return (await this.broker.facts.last(factSubjects('acme', this.id).gaveUps)) !== undefined;
  }

  async dispose(): Promise<void> {
    await Promise.all(this.#loops.map((loop) => loop.stop({ graceMs: 500, finishWithinMs: 0 })));
    await Promise.all(this.#engines.map((engine) => engine.close()));
    await this.broker.close();
    await this.server.dispose();
    await this.storage.close();
    await this.#folder.remove();
  }
}
