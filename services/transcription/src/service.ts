import { hostname } from 'node:os';
import { DURABLES, type Lane, parseEngines } from '@earshot/contracts';
import type { JobHandler, JobKind } from '@earshot/jobs';
import { type Broker, type JobLoop, type Log, startJobLoop } from '@earshot/messaging';
import type { ObjectStorage } from '@earshot/storage';
import { childEnvironment, type TranscriptionConfig } from './config.ts';
import { usableCores } from './cores.ts';
import { type EngineRunner, startEngine } from './engine-runner.ts';
import { type EngineSettings, type EngineTable, engineEntry, engineTable } from './engines.ts';
import { chunkJobs, splitJobs } from './job-kinds.ts';
import { logJobs } from './log-jobs.ts';
import type { ChunkLengths } from './split/chunk-lengths.ts';
import { splitRecording } from './split-recording.ts';
import { transcribeChunk } from './transcribe-chunk.ts';

export { readConfig, type TranscriptionConfig } from './config.ts';

/** What transcription is started with; the caller closes broker and storage after it. */
export interface TranscriptionOptions {
  readonly config: Pick<
    TranscriptionConfig,
    | 'EARSHOT_ENGINES'
    | 'WORKER_CONCURRENCY'
    | 'WORKER_MAX_TASKS_PER_CHILD'
    | 'TASK_TIME_LIMIT'
    | 'EARSHOT_ACK_WAIT_SECONDS'
    | 'EARSHOT_MAX_ATTEMPTS'
    | 'EARSHOT_MAX_RECORDING_HOURS'
    | 'EARSHOT_WORKER_MEMORY_LIMIT_MB'
  >;
  readonly broker: Broker;
  readonly storage: ObjectStorage;
  /** The programs and weights it works with: path of ffmpeg, paths of the local engine's model. */
  readonly parts: { readonly ffmpeg: string } & EngineSettings;
  /** The engines it can run. Default: all of this build; others must run in the parent. */
  readonly engines?: EngineTable | undefined;
  /** Lengths of the chunks for an engine. Default: those that follow from what the engine can do. */
  readonly lengths?: ((engine: string) => ChunkLengths | undefined) | undefined;
  readonly log: Log;
}

/** A running transcription. */
export interface Transcription {
  /** Jobs in work. */
  activeJobs(): number;
  /** False once it is being closed. */
  ready(): boolean;
  /** Takes no more jobs, finishes what ends within 3 s, hands back the rest, ends all child processes. Idempotent. */
  close(graceMs: number): Promise<void>;
}

/** Slots of a remote engine, which waits more than it works. */
const REMOTE_SLOTS = 4;

/** Warms the engines, then takes split jobs in one slot and chunk jobs in `WORKER_CONCURRENCY` slots per engine. */
export async function startTranscription(options: TranscriptionOptions): Promise<Transcription> {
  const { log } = options;
  const runners = await startEngines(options);
  const loops = [
    startSplitLoop(options, runners),
    ...[...runners.values()].map((engine) => startChunkLoop(options, engine)),
  ];
  log.info({ worker: workerName(), engines: [...runners.keys()], ...slotCounts(options) }, 'worker ready');
  let closing: Promise<void> | undefined;
  return {
    activeJobs: () => loops.reduce((total, loop) => total + loop.active(), 0),
    ready: () => closing === undefined,
    close: (graceMs) => {
      closing ??= stopAll(loops, runners, graceMs);
      return closing;
    },
  };
}

async function startEngines(options: TranscriptionOptions): Promise<Map<string, EngineRunner>> {
  const { config, parts, log } = options;
  const runners = new Map<string, EngineRunner>();
  try {
    for (const name of parseEngines(config.EARSHOT_ENGINES)) {
      const children = {
        size: slotsOf(name, options),
        maxTasksPerChild: config.WORKER_MAX_TASKS_PER_CHILD,
        memoryLimitMb: config.EARSHOT_WORKER_MEMORY_LIMIT_MB,
        environment: childEnvironment(),
      };
      runners.set(
        name,
        await startEngine(name, entryOf(name, options), { model: parts.model }, children, log),
      );
    }
    return runners;
  } catch (error) {
    await Promise.all([...runners.values()].map((runner) => runner.close()));
    throw error;
  }
}

function startSplitLoop(options: TranscriptionOptions, runners: Map<string, EngineRunner>): JobLoop {
  const { config, broker, storage, parts, lengths } = options;
  const handler = splitRecording({
    publisher: broker.publisher,
    facts: broker.facts,
    storage,
    ffmpeg: parts.ffmpeg,
    capabilities: (engine) => runners.get(engine)?.info.capabilities,
    maxRecordingHours: config.EARSHOT_MAX_RECORDING_HOURS,
    maxAttempts: config.EARSHOT_MAX_ATTEMPTS,
    taskTimeLimitMs: config.TASK_TIME_LIMIT * 1000,
    lengths,
  });
  return startLoop(options, { stage: 'split', slots: 1, kind: splitJobs, handler, durable: DURABLES.split });
}

function startChunkLoop(options: TranscriptionOptions, engine: EngineRunner): JobLoop {
  const { config, broker, storage } = options;
  const { name } = engine.info;
  const handler = transcribeChunk({
    engine,
    storage,
    facts: broker.facts,
    worker: workerName(),
    taskTimeLimitMs: config.TASK_TIME_LIMIT * 1000,
  });
  const durable = (lane: Lane) => DURABLES.chunk(name, lane);
  return startLoop(options, {
    stage: 'chunk',
    slots: slotsOf(name, options),
    kind: chunkJobs,
    handler,
    durable,
  });
}

function startLoop<
  Data extends Parameters<typeof splitJobs.attempt>[0] | Parameters<typeof chunkJobs.attempt>[0],
>(
  { broker, config, log }: TranscriptionOptions,
  loop: {
    stage: 'split' | 'chunk';
    slots: number;
    kind: JobKind<Data>;
    handler: JobHandler<Data>;
    durable: (lane: Lane) => string;
  },
): JobLoop {
  return startJobLoop({
    broker,
    durables: { high: loop.durable('high'), normal: loop.durable('normal'), low: loop.durable('low') },
    slots: loop.slots,
    kind: loop.kind,
    handler: logJobs(loop.stage, log, loop.handler),
    worker: workerName(),
    settings: { ackWaitMs: config.EARSHOT_ACK_WAIT_SECONDS * 1000, maxAttempts: config.EARSHOT_MAX_ATTEMPTS },
    log,
  });
}

async function stopAll(loops: JobLoop[], runners: Map<string, EngineRunner>, graceMs: number): Promise<void> {
  await Promise.all(loops.map((loop) => loop.stop({ graceMs })));
  await Promise.all([...runners.values()].map((runner) => runner.close()));
}

const entryOf = (engine: string, { engines = engineTable }: TranscriptionOptions) =>
  engineEntry(engines, engine);

function slotsOf(engine: string, options: TranscriptionOptions): number {
  const { WORKER_CONCURRENCY } = options.config;
  return WORKER_CONCURRENCY ?? (entryOf(engine, options).runs === 'child' ? usableCores() : REMOTE_SLOTS);
}

function slotCounts(options: TranscriptionOptions) {
  const names = parseEngines(options.config.EARSHOT_ENGINES);
  return { slots: Object.fromEntries(names.map((name) => [name, slotsOf(name, options)])) };
}

/** Which process did the work: host and process id. */
const workerName = () => `${hostname()}:${process.pid}`;
