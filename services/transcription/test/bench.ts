import { randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { type ChunkJob, type Cut, chunkJob, type Split, type SplitJob, splitFact } from '@earshot/contracts';
import type { Outcome, TakenJob } from '@earshot/jobs';
import {
  type ObjectStorage,
  parseBucketList,
  storageKeys,
  type TenantBuckets,
  tenantBuckets,
} from '@earshot/storage';
import { openFileStorage } from '@earshot/storage-file';
import { tempFolder } from '@earshot/testkit';
import type { SplitDependencies } from '../src/split-recording.ts';
import { FakeBroker } from './fake-broker.ts';
import { ffmpeg } from './parts.ts';

const tenant = 'acme';
const UPLOADS = 'acme-uploads';

/** Everything a handler touches: a real store in a folder of its own, and a broker in memory. */
export interface Bench {
  readonly broker: FakeBroker;
  readonly storage: ObjectStorage;
  /** The bucket `gs://acme-uploads` of the tenant, a folder here. */
  readonly uploads: ObjectStorage;
  readonly buckets: TenantBuckets;
  readonly id: string;
  readonly deps: SplitDependencies;
  /** Puts a recording where its split job looks for it. */
  store(recording: string | Uint8Array): Promise<void>;
  splitJob(data?: Partial<SplitJob>, more?: Partial<TakenJob<SplitJob>>): TakenJob<SplitJob>;
  chunkJob(data?: Partial<ChunkJob>, more?: Partial<TakenJob<ChunkJob>>): TakenJob<ChunkJob>;
  /** The cuts in storage, the chunk jobs published, and the keys of chunk objects, each in order. */
  state(): Promise<{ cuts: Cut[]; jobs: ChunkJob[]; objects: string[] }>;
  dispose(): Promise<void>;
}

export async function openBench(): Promise<Bench> {
  const folder = await tempFolder();
  const storage = await openFileStorage({ root: join(folder.path, 'storage') });
  const uploads = Object.assign(await openFileStorage({ root: join(folder.path, 'uploads') }), {
    addressOf: (key: string) => `gs://${UPLOADS}/${key}`,
  });
  const list = parseBucketList(JSON.stringify({ [tenant]: [`gs://${UPLOADS}`] }));
  const buckets = tenantBuckets({ list: () => list, open: () => uploads, isOurs: () => false });
  const broker = new FakeBroker();
  const id = randomUUID();
  const key = `${tenant}/${id}/bytes/recording`;
  const deps: SplitDependencies = {
    publisher: broker,
    facts: broker,
    storage,
    buckets,
    isStorageAway: async () => false,
    ffmpeg,
    capabilities: () => undefined,
    maxRecordingHours: 24,
    maxAttempts: 5,
    taskTimeLimitMs: 60_000,
  };
  const taken = {
    subject: 'jobs.x',
    delivery: 1,
    seq: 1,
    traceparent: undefined,
    signal: new AbortController().signal,
  };
  const common = { tenant_id: tenant, transcript_id: id, plan: 1, generation: 0, attempt: 1 };
  const wish = { engine: 'sherpa', lane: 'normal', channels: 'auto' } as const;
  const splitData: SplitJob = { ...common, ...wish, key, accepted_at: new Date().toISOString() };
  const chunkData: ChunkJob = { ...common, ...wish, n: 0, key, start_ms: 0, end_ms: 10_000 };
  return {
    broker,
    storage,
    uploads,
    buckets,
    id,
    deps,
    store: async (recording) => {
      await storage.put(key, typeof recording === 'string' ? createReadStream(recording) : recording);
    },
    splitJob: (data, more) => ({ ...taken, data: { ...splitData, ...data }, ...more }),
    chunkJob: (data, more) => ({ ...taken, data: { ...chunkData, ...data }, ...more }),
    state: () => stateOf(storage, broker, id),
    dispose: async () => {
      await Promise.all([storage.close(), buckets.close(), uploads.close()]);
      await folder.remove();
    },
  };
}

async function stateOf(storage: ObjectStorage, broker: FakeBroker, id: string) {
  const keys = storageKeys(tenant, id);
  const cuts: Cut[] = [];
  for (let n = 0; ; n += 1) {
    const bytes = await storage.read(keys.cut(1, n));
    if (!bytes) break;
    cuts.push(JSON.parse(bytes.toString()) as Cut);
  }
  const objects: string[] = [];
  for await (const { key } of storage.list(`${keys.prefix}chunks/`)) objects.push(key);
  const jobs = broker.messages.filter(({ subject }) => subject.startsWith('jobs.chunk.'));
  return { cuts, jobs: jobs.map(({ event }) => chunkJob.read(event)), objects: objects.sort() };
}

/** The data of the fact `split` that a handler ended with; throws when it ended otherwise. */
export function splitOf(outcome: Outcome): Split {
  const fact = outcome.kind === 'done' ? outcome.publish[0] : undefined;
  if (!fact) throw new Error(`no split fact: ${JSON.stringify(outcome)}`);
  return splitFact.read(fact.event);
}
