import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { SAMPLE_RATE, writeWav } from '@earshot/audio';
import { type Chunk, type ChunkJob, chunkFact, chunkJob, factSubjects, topology } from '@earshot/contracts';
import { applyTopology, type Broker, connectBroker } from '@earshot/messaging';
import type { ObjectStorage } from '@earshot/storage';
import { openFileStorage } from '@earshot/storage-file';
import { eventually, startTestBroker, tempFolder } from '@earshot/testkit';
import type { PaidTimes } from '../../src/paid/paid-times.ts';
import { silentLog } from '../fakes.ts';
import { type FakeCloudProcess, startFakeCloud } from './launch.ts';
import { startWorker, type WorkerProcess } from './start-worker.ts';

/** A real broker and store, a vendor, and as many worker processes as a test starts. */
export interface WorkerBench {
  readonly cloud: FakeCloudProcess;
  readonly broker: Broker;
  readonly storage: ObjectStorage;
  worker(times?: Partial<PaidTimes>): Promise<WorkerProcess>;
  /** Publishes the job of a chunk with sound of its own. */
  submit(engine: string, wish?: Partial<ChunkJob>): Promise<ChunkJob>;
  /** The fact of a chunk, as soon as it is there. */
  fact(job: ChunkJob): Promise<Chunk>;
  dispose(): Promise<void>;
}

/** Engines by name with their caps; an `ack_wait` of 5 s, so that the next worker has a killed one's job soon. */
export async function openWorkerBench(maxAckPending: Readonly<Record<string, number>>): Promise<WorkerBench> {
  const folder = await tempFolder();
  const [server, cloud] = await Promise.all([startTestBroker(), startFakeCloud()]);
  const root = join(folder.path, 'storage');
  const storage = await openFileStorage({ root });
  const broker = await connectBroker({ servers: [server.url], name: 'test', log: silentLog });
  const engines = Object.keys(maxAckPending);
  const sizes = { storeBytes: 1e8, factsDays: 1, replicas: 1 };
  await applyTopology(broker, topology({ engines, ackWaitSeconds: 5, maxAckPending, ...sizes }));
  const workers: WorkerProcess[] = [];
  const env = {
    NATS_URL: server.url,
    EARSHOT_STORAGE_URL: pathToFileURL(root).href,
    EARSHOT_ENGINES: engines.join(','),
    EARSHOT_MAX_ACK_PENDING: Object.entries(maxAckPending)
      .map((pair) => pair.join('='))
      .join(','),
    EARSHOT_ACK_WAIT_SECONDS: '5',
    EARSHOT_NATS_STORE_BYTES: '100000000',
    EARSHOT_FACTS_DAYS: '1',
  };
  return {
    cloud,
    broker,
    storage,
    worker: async (times = {}) => {
      const started = await startWorker([cloud.url, '', JSON.stringify(times)], env);
      workers.push(started);
      return started;
    },
    submit: (engine, wish) => submit(broker, storage, engine, wish),
    fact: async ({ tenant_id, transcript_id, plan, n }) => {
      const subject = factSubjects(tenant_id, transcript_id).chunk(plan, n);
      const stored = await eventually('the fact of the chunk', () => broker.facts.last(subject), 40_000);
      return chunkFact.read(stored.event);
    },
    dispose: async () => {
      await Promise.all(workers.map((worker) => worker.kill()));
      await broker.close();
      await Promise.all([server.dispose(), cloud.dispose(), storage.close()]);
      await folder.remove();
    },
  };
}

async function submit(
  broker: Broker,
  storage: ObjectStorage,
  engine: string,
  wish: Partial<ChunkJob> = {},
): Promise<ChunkJob> {
  const transcript_id = randomUUID();
  const key = `acme/${transcript_id}/chunks/1-0-a`;
  const loudness = 1 + Math.floor(Math.random() * 30_000);
  await storage.put(key, writeWav(new Int16Array(SAMPLE_RATE).fill(loudness), 1, SAMPLE_RATE));
  const place = { tenant_id: 'acme', transcript_id, plan: 1, n: 0, generation: 0, attempt: 1, key };
  const asked = { engine, lane: 'normal', channels: 'auto', start_ms: 0, end_ms: 1000 } as const;
  const job: ChunkJob = { ...place, ...asked, ...wish };
  await broker.publisher.publishFirst(chunkJob.create(job, { source: 'test' }));
  return job;
}
