import { setTimeout as pause } from 'node:timers/promises';
import type { Client } from '@earshot/client';
import type { Broker } from '@earshot/messaging';
import type { LogLine, ServiceProcess } from '../../services/combined/test/faults/service-process.ts';
import { cpuSeconds, memoryMb } from '../process-tree.ts';

const LOOK_EVERY_MS = 250;

/** What a worker did at one concurrency. */
export interface Measured {
  readonly concurrency: number;
  /** Seconds of audio in a second. */
  readonly throughput: number;
  /** Seconds of a chunk job from its start to its end. */
  readonly p50: number;
  readonly p95: number;
  /** Cores that the worker and its children used. */
  readonly cores: number;
  /** The most that the worker and its children took. */
  readonly peakMb: number;
}

export interface Load {
  readonly concurrency: number;
  readonly file: Blob;
  readonly seconds: number;
  readonly recordings: number;
}

/** Submits all recordings at once to a worker that is warm, and follows it until the last is completed. */
export async function measure(
  { concurrency, file, seconds, recordings }: Load,
  { worker, ingest, broker }: { worker: ServiceProcess; ingest: Client; broker: Broker },
): Promise<Measured> {
  await transcribe(file, concurrency, ingest, broker);
  const [logged, cpu, started] = [worker.lines.length, await cpuSeconds(worker.pid), performance.now()];
  const peak = watchMemory(worker.pid);
  await transcribe(file, recordings, ingest, broker);
  const wall = (performance.now() - started) / 1_000;
  const jobs = worker.lines
    .slice(logged)
    .filter(isChunkEnd)
    .map(({ seconds: took }) => Number(took));
  if (jobs.length < recordings) throw new Error(`${jobs.length} chunk jobs of ${recordings} recordings`);
  return {
    concurrency,
    throughput: (recordings * seconds) / wall,
    p50: quantile(jobs, 0.5),
    p95: quantile(jobs, 0.95),
    cores: ((await cpuSeconds(worker.pid)) - cpu) / wall,
    peakMb: await peak.stop(),
  };
}

const isChunkEnd = ({ msg, stage, outcome }: LogLine) =>
  msg === 'job finished' && stage === 'chunk' && outcome === 'done';

async function transcribe(file: Blob, count: number, ingest: Client, broker: Broker): Promise<void> {
  const completed = broker.connection.subscribe('transcripts.*.*.completed', { max: count });
  await broker.connection.flush();
  await Promise.all(Array.from({ length: count }, () => ingest.recordings.create({ file })));
  for await (const _ of completed);
}

function watchMemory(pid: number): { stop(): Promise<number> } {
  const stop = new AbortController();
  const run = async () => {
    let most = 0;
    while (!stop.signal.aborted) {
      most = Math.max(most, await memoryMb(pid));
      await pause(LOOK_EVERY_MS);
    }
    return most;
  };
  const running = run();
  return {
    stop: () => {
      stop.abort();
      return running;
    },
  };
}

const quantile = (values: readonly number[], part: number) =>
  values.toSorted((one, other) => one - other)[Math.ceil(values.length * part) - 1] ?? 0;
