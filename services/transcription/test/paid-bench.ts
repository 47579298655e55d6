import { randomUUID } from 'node:crypto';
import { SAMPLE_RATE, writeWav } from '@earshot/audio';
import { type Chunk, type ChunkJob, chunkFact } from '@earshot/contracts';
import type { Outcome, TakenJob } from '@earshot/jobs';
import { WorkAborted } from '@earshot/messaging';
import { noTenantBuckets, type ObjectStorage, storageKeys } from '@earshot/storage';
import { openFileStorage } from '@earshot/storage-file';
import { tempFolder } from '@earshot/testkit';
import { startEngine } from '../src/engine-runner.ts';
import { engineEntry } from '../src/engines.ts';
import type { PaidCallCounts } from '../src/paid/paid-call-counts.ts';
import { PaidCalls, type PaidCallsOptions } from '../src/paid/paid-calls.ts';
import type { PaidTimes } from '../src/paid/paid-times.ts';
import { transcribeChunk } from '../src/transcribe-chunk.ts';
import { type DeathPoint, dyingAt } from './dying-storage.ts';
import { FakeBroker } from './fake-broker.ts';
import { cloudEngines } from './fake-cloud/engines.ts';
import { hashOf, spokenText } from './fake-cloud/spoken-text.ts';
import { silentLog } from './fakes.ts';

/** What one worker of a test may differ in. */
export interface PaidWorkerOptions {
  readonly storage?: ObjectStorage;
  readonly times?: Partial<PaidTimes>;
  /** What stands before its calls, by engine. Default: nothing. */
  readonly gates?: PaidCallsOptions['gates'];
  /** Default 10 s. */
  readonly deadlineMs?: number;
}

/** A worker: its handler, and its own counts. */
export interface PaidWorker {
  run(data?: Partial<ChunkJob>, more?: Partial<TakenJob<ChunkJob>>): Promise<Outcome>;
  readonly counts: PaidCallCounts;
}

/** A worker that was killed, or stopped: whatever it waits for never comes. */
export interface DeadWorker {
  readonly counts: PaidCallCounts;
  loseLease(): void;
  /** Lets it go on, and resolves with how its run ends. */
  revive(): Promise<Outcome>;
}

/** One chunk of a transcript of its own, with as many workers as a test wants. */
export interface PaidBench {
  readonly broker: FakeBroker;
  readonly storage: ObjectStorage;
  /** What any engine of the vendor hears in the chunk. */
  readonly text: string;
  worker(options?: PaidWorkerOptions): Promise<PaidWorker>;
  /** A worker that runs the chunk and stops at a point of the ledger for good, unless it is revived. */
  dieAt(point: DeathPoint, options?: PaidWorkerOptions): Promise<DeadWorker>;
  /** An object of the ledger, undefined while nobody wrote it. */
  written(tryNumber: number, object: 'intent' | 'answer' | 'done'): Promise<unknown>;
  dispose(): Promise<void>;
}

const never = new AbortController().signal;
const samples = new Int16Array(SAMPLE_RATE).fill(1234);
const text = spokenText([{ channel: 0, audio: hashOf(new Uint8Array(samples.buffer)) }], 'en')[0]?.text ?? '';

/** Fast where nothing is lost, patient where a slow machine may be taken for a lost call. */
const quick: Partial<PaidTimes> = { lookEveryMs: 30, pollEveryMs: 10, neverArrivedMs: 20_000, askMs: 5_000 };

export async function openPaidBench(url: string, engine: 'lookup' | 'blind'): Promise<PaidBench> {
  const folder = await tempFolder();
  const storage = await openFileStorage({ root: folder.path });
  const broker = new FakeBroker();
  const transcript_id = randomUUID();
  const keys = storageKeys('acme', transcript_id);
  const key = keys.chunk(1, 0, 'a');
  await storage.put(key, writeWav(samples, 1, SAMPLE_RATE));
  const place = { tenant_id: 'acme', transcript_id, plan: 1, n: 0, generation: 0, attempt: 1, key };
  const chunk: ChunkJob = { ...place, engine, lane: 'normal', channels: 'auto', start_ms: 0, end_ms: 1000 };
  const taken = { subject: 'jobs.x', delivery: 1, seq: 1, traceparent: undefined, signal: never };
  const pool = { size: 1, maxTasksPerChild: 1, environment: {} };
  const entry = engineEntry(cloudEngines(url), engine);
  const worker = async (options: PaidWorkerOptions = {}): Promise<PaidWorker> => {
    const seen = options.storage ?? storage;
    const times = { ...quick, ...options.times };
    const { gates } = options;
    const paidCalls = new PaidCalls({ storage: seen, worker: 'w-1', times, gates, log: silentLog });
    const runner = await startEngine(engine, entry, {}, pool, silentLog);
    const what = {
      engine: runner,
      storage: seen,
      buckets: noTenantBuckets,
      facts: broker,
      paidCalls,
      worker: 'w-1',
    };
    const isStorageAway = async () => false;
    const handler = transcribeChunk({
      ...what,
      isStorageAway,
      taskTimeLimitMs: options.deadlineMs ?? 10_000,
    });
    return {
      run: (data, more) => handler({ ...taken, data: { ...chunk, ...data }, ...more }),
      counts: paidCalls.counts,
    };
  };
  return {
    broker,
    storage,
    text,
    worker,
    dieAt: async (point, options) => {
      const dying = dyingAt(storage, point);
      const lease = new AbortController();
      const { run, counts } = await worker({ ...options, storage: dying.storage });
      const ending = run({}, { signal: lease.signal });
      await dying.died;
      const revive = () => {
        dying.revive();
        return ending;
      };
      return { counts, loseLease: () => lease.abort(new WorkAborted('lease_lost')), revive };
    },
    written: async (tryNumber, object) => {
      const bytes = await storage.read(`${keys.call(1, 0, engine, tryNumber)}/${object}`);
      return bytes && JSON.parse(bytes.toString());
    },
    dispose: async () => {
      await storage.close();
      await folder.remove();
    },
  };
}

/** The fact that a run ended with; throws when it ended otherwise. */
export function factOf(outcome: Outcome): Chunk {
  const fact = outcome.kind === 'done' ? outcome.publish[0] : undefined;
  if (!fact) throw new Error(`no chunk fact: ${JSON.stringify(outcome)}`);
  return chunkFact.read(fact.event);
}

/** The text of the fact that a run ended with; throws when it ended otherwise. */
export function textOf(outcome: Outcome): string {
  return factOf(outcome)
    .segments.map((segment) => segment.text)
    .join(' ');
}
