import type { Circuit } from '@earshot/contracts';
import type { EngineInput, EngineOptions } from '@earshot/engine';
import type { Log } from '@earshot/messaging';
import { CallPostponed } from '../budget/call-postponed.ts';
import type { EngineInfo } from '../children/protocol.ts';
import { type ChildSettings, type EngineRunner, type RunLimits, startEngine } from '../engine-runner.ts';
import type { EngineEntry, EngineSettings } from '../engines.ts';
import type { EngineResult } from '../run-engine.ts';
import { EngineCircuit } from './engine-circuit.ts';
import { LoopValve } from './loop-valve.ts';
import { QuotaPause } from './quota-pause.ts';

/** Starts an engine as `startEngine` does, and watches over it from then on; `isStorageAway` as in `StorageWatch`. */
export async function startGuardedEngine(
  name: string,
  entry: EngineEntry,
  settings: EngineSettings,
  children: ChildSettings,
  log: Log,
  isStorageAway: (error: unknown) => Promise<boolean>,
): Promise<GuardedEngine> {
  const guard = new EngineGuard(name, isStorageAway, log);
  return new GuardedEngine(await startEngine(name, entry, settings, children, log, guard.circuit), guard);
}

/** Then a few jobs see whether the budget was raised. */
const BUDGET_PAUSE_MS = 60_000;

/** What watches over one engine, and the valve of its loop that they turn. */
export class EngineGuard {
  readonly valve = new LoopValve();
  readonly circuit: EngineCircuit;
  readonly quota: QuotaPause;
  readonly budget: QuotaPause;

  constructor(engine: string, isElsewhere: (error: unknown) => Promise<boolean>, log: Log) {
    const onFlow = (flow: Parameters<LoopValve['set']>[1]) => this.valve.set('circuit', flow);
    this.circuit = new EngineCircuit({ engine, onFlow, isElsewhere, log });
    const pause = (what: 'quota' | 'budget') =>
      new QuotaPause({ engine, what, onFlow: (flow) => this.valve.set(what, flow), log });
    this.quota = pause('quota');
    this.budget = pause('budget');
  }
}

/** An engine that is left alone while it is down or out of quota. */
export class GuardedEngine implements EngineRunner {
  readonly #runner: EngineRunner;
  readonly #guard: EngineGuard;

  constructor(runner: EngineRunner, guard: EngineGuard) {
    this.#runner = runner;
    this.#guard = guard;
  }

  get info(): EngineInfo {
    return this.#runner.info;
  }

  /** How much the engine's loop may take. */
  get valve(): LoopValve {
    return this.#guard.valve;
  }

  get circuit(): Circuit {
    return this.#guard.circuit.state;
  }

  get quotaUntil(): Date | undefined {
    return this.#guard.quota.until;
  }

  async run(input: EngineInput, options: EngineOptions, limits: RunLimits): Promise<EngineResult> {
    const { circuit, quota, budget } = this.#guard;
    try {
      return await circuit.run((alive) => {
        const onHeartbeat = () => {
          alive();
          limits.onHeartbeat?.();
        };
        return this.#runner.run(input, options, { ...limits, onHeartbeat });
      });
    } catch (error) {
      quota.notice(error);
      if (error instanceof CallPostponed && error.forAll)
        budget.begin(Math.min(error.afterMs, BUDGET_PAUSE_MS), error.message);
      throw error;
    }
  }

  restart(): Promise<void> {
    return this.#runner.restart();
  }

  memoryBytes(): number {
    return this.#runner.memoryBytes();
  }

  close(): Promise<void> {
    this.#guard.circuit.stop();
    this.#guard.quota.stop();
    this.#guard.budget.stop();
    return this.#runner.close();
  }
}
