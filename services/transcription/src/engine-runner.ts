import { CodedError } from '@earshot/domain';
import type { EngineInput, EngineOptions, PaidCallLedger } from '@earshot/engine';
import type { Log } from '@earshot/messaging';
import { createChildPool } from './children/child-pool.ts';
import type { EngineInfo } from './children/protocol.ts';
import type { TaskLimits } from './children/task-limits.ts';
import type { ChildEngineSettings, EngineEntry, EngineSettings } from './engines.ts';
import { type EngineResult, runEngine } from './run-engine.ts';

/** What bounds one run, and where it writes down what it pays for. */
export interface RunLimits extends TaskLimits {
  /** Makes the ledger, which is bounded as the run is and tells of its progress. */
  readonly ledgerFor: (limits: TaskLimits) => PaidCallLedger;
}

/** A started engine, wherever it runs. */
export interface EngineRunner {
  readonly info: EngineInfo;
  /** See `ChildPool.run`; the deadline is milliseconds of wall time. A paid engine's is kept by the ledger. */
  run(input: EngineInput, options: EngineOptions, limits: RunLimits): Promise<EngineResult>;
  /** Renews its child processes without disturbing running calls; see `ChildPool.restart`. */
  restart(): Promise<void>;
  /** Resident memory of its child processes. */
  memoryBytes(): number;
  close(): Promise<void>;
}

/** Told when an engine that was started can do nothing for now, and when it can again. */
export interface EngineWatcher {
  trip(error: Error): void;
  mend(): void;
}

/** How child processes are kept, for engines that need them. */
export interface ChildSettings {
  readonly size: number;
  readonly maxTasksPerChild: number;
  readonly memoryLimitMb?: number | undefined;
  readonly environment: Readonly<Record<string, string>>;
}

/** Starts the engine of an entry and waits until it is warm; throws `unavailable` when it cannot start. */
export function startEngine(
  name: string,
  entry: EngineEntry,
  settings: EngineSettings,
  children: ChildSettings,
  log: Log,
  watcher?: EngineWatcher,
): Promise<EngineRunner> {
  return entry.runs === 'child'
    ? startChildren(name, { model: settings.model }, children, log, watcher)
    : startHere(name, entry, settings);
}

async function startChildren(
  engine: string,
  settings: ChildEngineSettings,
  children: ChildSettings,
  log: Log,
  watcher?: EngineWatcher,
): Promise<EngineRunner> {
  const pool = createChildPool({ engine, settings, ...children, log, watcher });
  try {
    const info = await pool.ready();
    return {
      info,
      run: (...call) => pool.run(...call),
      restart: () => pool.restart(),
      memoryBytes: () => pool.memoryBytes(),
      close: () => pool.close(),
    };
  } catch (error) {
    await pool.close();
    throw error;
  }
}

async function startHere(name: string, entry: EngineEntry, settings: EngineSettings): Promise<EngineRunner> {
  const engine = await entry.load(settings);
  const { model, capabilities } = engine;
  return {
    info: { name, model, capabilities },
    run: (input, options, limits) => {
      const call = (context: { signal: AbortSignal }) =>
        runEngine(engine, input, options, {
          heartbeat: () => limits.onHeartbeat?.(),
          ledger: limits.ledgerFor(limits),
          ...context,
        });
      return capabilities.billing === 'free' ? within(limits, call) : call(limits);
    },
    restart: async () => {},
    memoryBytes: () => 0,
    close: () => engine.close(),
  };
}

async function within(
  { signal, deadlineMs }: TaskLimits,
  call: (context: { signal: AbortSignal }) => Promise<EngineResult>,
): Promise<EngineResult> {
  const deadline = AbortSignal.timeout(deadlineMs);
  try {
    return await call({ signal: AbortSignal.any([signal, deadline]) });
  } catch (error) {
    signal.throwIfAborted();
    if (!deadline.aborted) throw error;
    throw new CodedError('timeout', `the engine took longer than ${deadlineMs} ms`, { cause: error });
  }
}
