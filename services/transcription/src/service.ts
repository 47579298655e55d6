import {
  type Budget,
  budgetsFrom,
  DURABLES,
  type GoogleConfig,
  type Lane,
  parseEngines,
} from '@earshot/contracts';
import type { JobHandler, JobKind } from '@earshot/jobs';
import {
  type Broker,
  type JobLoop,
  type Log,
  startJobLoop,
  startWorkerControl,
  type WorkerControl,
} from '@earshot/messaging';
import { MachineUse, type Metrics } from '@earshot/service-kit';
import { noTenantBuckets, type ObjectStorage, type TenantBuckets } from '@earshot/storage';
import { ActiveJobs } from './active-jobs.ts';
import { BudgetGate } from './budget/budget-gate.ts';
import { type GuardedEngine, startGuardedEngine } from './circuit/guarded-engine.ts';
import { type Flow, LoopValve } from './circuit/loop-valve.ts';
import { StorageWatch } from './circuit/storage-watch.ts';
import { childEnvironment, type TranscriptionConfig } from './config.ts';
import { usableCores } from './cores.ts';
import { both, countAudio, countJobs } from './count-jobs.ts';
import { type ChildEngineSettings, type EngineTable, engineEntry, engineTable } from './engines.ts';
import { googleOptions } from './google-options.ts';
import { chunkJobs, splitJobs } from './job-kinds.ts';
import { logJobs } from './log-jobs.ts';
import { logLosses } from './log-losses.ts';
import type { PaidCallCounts } from './paid/paid-call-counts.ts';
import { PaidCalls } from './paid/paid-calls.ts';
import type { PaidTimes } from './paid/paid-times.ts';
import type { RecordingPlaces } from './recording-places.ts';
import { reportEngines } from './report-engines.ts';
import type { ChunkLengths } from './split/chunk-lengths.ts';
import { splitRecording } from './split-recording.ts';
import { transcribeChunk } from './transcribe-chunk.ts';
import { newWorkerId } from './worker-id.ts';
import { workerState } from './worker-state.ts';

export { readConfig, type TranscriptionConfig } from './config.ts';
export { needModel } from './engines.ts';
export { type OpenPlaces, openPlaces } from './open-places.ts';

/** What transcription is started with; the caller closes broker and storage after it. */
export interface TranscriptionOptions {
  readonly config: Pick<
    TranscriptionConfig,
    | keyof GoogleConfig
    | 'EARSHOT_ENGINES'
    | 'WORKER_CONCURRENCY'
    | 'WORKER_MAX_TASKS_PER_CHILD'
    | 'TASK_TIME_LIMIT'
    | 'EARSHOT_ACK_WAIT_SECONDS'
    | 'EARSHOT_MAX_ATTEMPTS'
    | 'EARSHOT_MAX_RECORDING_HOURS'
    | 'EARSHOT_WORKER_MEMORY_LIMIT_MB'
    | 'EARSHOT_GOOGLE_DAILY_BUDGET_MINUTES'
  >;
  readonly broker: Broker;
  readonly storage: ObjectStorage;
  /** A bucket for Google, where `storage` is none; see EARSHOT_GOOGLE_STAGING_URL. */
  readonly staging?: ObjectStorage | undefined;
  /** Default: none, whoever asks. */
  readonly buckets?: Pick<TenantBuckets, 'find'> | undefined;
  /** The programs and weights it works with: path of ffmpeg, paths of the local engine's model. */
  readonly parts: { readonly ffmpeg: string } & ChildEngineSettings;
  /** The engines it can run. Default: all of this build; others must run in the parent. */
  readonly engines?: EngineTable | undefined;
  /** Lengths of the chunks for an engine. Default: those that follow from what the engine can do. */
  readonly lengths?: ((engine: string) => ChunkLengths | undefined) | undefined;
  /** What engines may cost in a day. Default: what the settings say. */
  readonly budgets?: ReadonlyMap<string, Budget> | undefined;
  /** Default: those of `paidTimes`. */
  readonly paidTimes?: Partial<PaidTimes> | undefined;
  readonly log: Log;
  /** Where it tells of jobs and engines. Default: nowhere. */
  readonly metrics?: Metrics | undefined;
}

/** A running transcription. */
export interface Transcription {
  /** Names this process in facts, evidence and subjects. */
  readonly workerId: string;
  /** Jobs in work. */
  activeJobs(): number;
  /** Milliseconds for which it has held no job; 0 while it holds one. */
  idleMs(): number;
  /** Resident memory of its child processes. */
  childMemoryBytes(): number;
  /** What happened to paid calls since the start. */
  paidCalls(): Readonly<PaidCallCounts>;
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
  const work = await openWork(options);
  const engines = [...work.runners.values()];
  const loops = [startSplitLoop(work), ...engines.map((engine) => startChunkLoop(work, engine))];
  if (options.metrics) reportEngines(options.metrics, engines, work.paidCalls.counts);
  let closing: Promise<void> | undefined;
  const control = startControl(work, () => closing !== undefined);
  const close = async (graceMs: number) => {
    work.watch.stop();
    await Promise.all(loops.map((loop) => loop.stop({ graceMs })));
    await Promise.all([...engines.map((engine) => engine.close()), control.stop()]);
  };
  const activeJobs = () => loops.reduce((total, loop) => total + loop.active(), 0);
  log.info({ worker: work.id, engines: [...work.runners.keys()], ...slotCounts(options) }, 'worker ready');
  return {
    workerId: work.id,
    activeJobs,
    // What is done is still held until its acknowledgement is confirmed.
    idleMs: () => (activeJobs() > 0 ? 0 : work.active.idleMs()),
    childMemoryBytes: () => engines.reduce((total, engine) => total + engine.memoryBytes(), 0),
    paidCalls: () => ({ ...work.paidCalls.counts }),
    ready: () => closing === undefined,
    close: (graceMs) => {
      closing ??= close(graceMs);
      return closing;
    },
  };
}

/** What the loops of one worker share. */
interface Work extends Omit<TranscriptionOptions, 'buckets'>, RecordingPlaces {
  readonly id: string;
  readonly runners: ReadonlyMap<string, GuardedEngine>;
  readonly active: ActiveJobs;
  readonly splitValve: LoopValve;
  readonly watch: StorageWatch;
  readonly paidCalls: PaidCalls;
}

async function openWork(options: TranscriptionOptions): Promise<Work> {
  const splitValve = new LoopValve();
  const valves = [splitValve];
  const onFlow = (flow: Flow) => {
    for (const valve of valves) valve.set('storage', flow);
  };
  const { storage, log, paidTimes: times } = options;
  const id = newWorkerId();
  const watch = new StorageWatch({ storage, onFlow, log });
  const runners = await startEngines(options, watch);
  valves.push(...[...runners.values()].map(({ valve }) => valve));
  const paidCalls = new PaidCalls({ storage, worker: id, times, gates: gatesOf(options), log });
  const { buckets = noTenantBuckets } = options;
  return { ...options, buckets, id, runners, active: new ActiveJobs(), splitValve, watch, paidCalls };
}

function gatesOf({ broker, config, budgets = budgetsFrom(config), log }: TranscriptionOptions) {
  const gates = [...budgets].map(
    ([engine, budget]) => [engine, new BudgetGate({ broker, engine, budget, log })] as const,
  );
  return new Map(gates);
}

function startControl(work: Work, draining: () => boolean): WorkerControl {
  const { id, broker, active, log } = work;
  const since = new Date();
  const use = new MachineUse();
  const engines = [...work.runners.values()];
  const slots = engines.map((engine) => ({ engine, slots: slotsOf(engine.info.name, work) }));
  return startWorkerControl({
    ...{ broker, id, log },
    state: () => workerState({ id, since, engines: slots, active, draining: draining(), use }),
    restartPool: async () => void (await Promise.all(engines.map((engine) => engine.restart()))),
  });
}

async function startEngines(
  options: TranscriptionOptions,
  watch: StorageWatch,
): Promise<Map<string, GuardedEngine>> {
  const { config, parts, log } = options;
  const isAway = (error: unknown) => watch.isAway(error);
  const settings = { model: parts.model, google: googleOptions(config, options.storage, options.staging) };
  const runners = new Map<string, GuardedEngine>();
  try {
    for (const name of parseEngines(config.EARSHOT_ENGINES)) {
      const children = {
        size: slotsOf(name, options),
        maxTasksPerChild: config.WORKER_MAX_TASKS_PER_CHILD,
        memoryLimitMb: config.EARSHOT_WORKER_MEMORY_LIMIT_MB,
        environment: childEnvironment(),
      };
      const entry = entryOf(name, options);
      runners.set(name, await startGuardedEngine(name, entry, settings, children, log, isAway));
    }
    return runners;
  } catch (error) {
    await Promise.all([...runners.values()].map((runner) => runner.close()));
    throw error;
  }
}

function startSplitLoop(work: Work): JobLoop {
  const { config, broker, storage, buckets, parts, lengths, runners, watch, splitValve: valve } = work;
  const handler = splitRecording({
    publisher: broker.publisher,
    facts: broker.facts,
    storage,
    buckets,
    isStorageAway: (error) => watch.isAway(error),
    ffmpeg: parts.ffmpeg,
    capabilities: (engine) => runners.get(engine)?.info.capabilities,
    maxRecordingHours: config.EARSHOT_MAX_RECORDING_HOURS,
    maxAttempts: config.EARSHOT_MAX_ATTEMPTS,
    taskTimeLimitMs: config.TASK_TIME_LIMIT * 1000,
    lengths,
  });
  const loop = { stage: 'split' as const, slots: 1, kind: splitJobs, handler, durable: DURABLES.split };
  return startLoop(work, { ...loop, valve });
}

function startChunkLoop(work: Work, engine: GuardedEngine): JobLoop {
  const { config, broker, storage, buckets, watch, metrics } = work;
  const { name } = engine.info;
  const transcribe = transcribeChunk({
    engine,
    storage,
    buckets,
    facts: broker.facts,
    paidCalls: work.paidCalls,
    isStorageAway: (error) => watch.isAway(error),
    worker: work.id,
    taskTimeLimitMs: config.TASK_TIME_LIMIT * 1000,
  });
  const handler = metrics ? countAudio(metrics, name, transcribe) : transcribe;
  const durable = (lane: Lane) => DURABLES.chunk(name, lane);
  return startLoop(work, {
    stage: 'chunk',
    engine: name,
    slots: slotsOf(name, work),
    kind: chunkJobs,
    handler,
    durable,
    valve: engine.valve,
  });
}

function startLoop<
  Data extends Parameters<typeof splitJobs.attempt>[0] | Parameters<typeof chunkJobs.attempt>[0],
>(
  { broker, config, log, id, active, metrics }: Work,
  loop: {
    stage: 'split' | 'chunk';
    engine?: string;
    slots: number;
    kind: JobKind<Data>;
    handler: JobHandler<Data>;
    durable: (lane: Lane) => string;
    valve: LoopValve;
  },
): JobLoop {
  const losses = logLosses(loop.stage, log);
  const started = startJobLoop({
    broker,
    durables: { high: loop.durable('high'), normal: loop.durable('normal'), low: loop.durable('low') },
    slots: loop.slots,
    kind: loop.kind,
    handler: active.track(loop.stage, logJobs(loop.stage, log, loop.handler)),
    worker: id,
    settings: { ackWaitMs: config.EARSHOT_ACK_WAIT_SECONDS * 1000, maxAttempts: config.EARSHOT_MAX_ATTEMPTS },
    on: metrics ? both(losses, countJobs(metrics, loop.stage, loop.engine)) : losses,
    log,
  });
  loop.valve.attach(started);
  return started;
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
