import type { Circuit } from '@earshot/contracts';
import { CodedError, toCodedError } from '@earshot/domain';
import type { Log } from '@earshot/messaging';
import {
  type CircuitBreakerPolicy,
  ConsecutiveBreaker,
  circuitBreaker,
  handleWhen,
  isBrokenCircuitError,
  isIsolatedCircuitError,
} from 'cockatiel';
import type { Flow } from './loop-valve.ts';

/** What a circuit is made with. */
export interface EngineCircuitOptions {
  readonly engine: string;
  /** Told how much the engine's loop may take from now on. */
  readonly onFlow: (flow: Flow) => void;
  /** True for a failure inside a call that is not the engine's: a paid one keeps its ledger in storage. Default: none. */
  readonly isElsewhere?: ((error: unknown) => Promise<boolean>) | undefined;
  /** How long an engine that is down is left alone before one job tries it. Default 3 s, and up to 1 s of jitter. */
  readonly retryAfterMs?: number | undefined;
  readonly log: Log;
}

const FAILURES_UNTIL_OPEN = 3;
const RETRY_AFTER_MS = 3_000;
const JITTER_MS = 1_000;

/**
 * Notices that an engine is down: after three `unavailable` calls in a row, or when it is told that no child can be
 * started. Its loop then takes nothing; every few seconds one job tries, and a call that shows any sign of life closes
 * the circuit. Other failures say that the engine answers, so they close it as well.
 */
export class EngineCircuit {
  readonly #options: EngineCircuitOptions;
  readonly #policy: CircuitBreakerPolicy;
  #state: Circuit = 'closed';
  #downSince = 0;
  #isolated: { dispose(): void } | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: EngineCircuitOptions) {
    const halfOpenAfter = options.retryAfterMs ?? RETRY_AFTER_MS;
    this.#options = options;
    this.#policy = circuitBreaker(
      handleWhen((error) => toCodedError(error).code === 'unavailable'),
      { halfOpenAfter, breaker: new ConsecutiveBreaker(FAILURES_UNTIL_OPEN) },
    );
    this.#policy.onBreak((reason) => this.#open('error' in reason ? reason.error : undefined));
    this.#policy.onReset(() => this.#close());
  }

  get state(): Circuit {
    return this.#state;
  }

  /** Does one call; `unavailable` without a call while the engine is down. `alive` may be called when it shows progress. */
  async run<T>(call: (alive: () => void) => Promise<T>): Promise<T> {
    let alive = () => {};
    const progress = new Promise<void>((resolve) => {
      alive = () => this.#state === 'half_open' && resolve();
    });
    try {
      const begun = await this.#policy.execute(async () => {
        const result = call(alive);
        await Promise.race([progress, result.catch((error) => this.#unlessDown(error))]);
        return { result };
      });
      return await begun.result;
    } catch (error) {
      throw isBrokenCircuitError(error) || isIsolatedCircuitError(error) ? this.#refusal() : error;
    }
  }

  /** No call can succeed until `mend`. */
  trip(error: Error): void {
    if (this.#isolated) return;
    this.#note(error);
    this.#isolated = this.#policy.isolate();
  }

  /** What `trip` told of is over. */
  mend(): void {
    this.#isolated?.dispose();
    this.#isolated = undefined;
  }

  /** Ends its timer. */
  stop(): void {
    clearTimeout(this.#timer);
  }

  #open(error: Error | undefined): void {
    clearTimeout(this.#timer);
    const known = this.#state !== 'closed';
    if (!known) this.#downSince = performance.now();
    this.#state = 'open';
    this.#options.onFlow('shut');
    if (!error) return;
    if (!known) this.#note(error);
    const wait = (this.#options.retryAfterMs ?? RETRY_AFTER_MS) + 1 + Math.random() * JITTER_MS;
    this.#timer = setTimeout(() => this.#tryOne(), wait);
  }

  #tryOne(): void {
    this.#state = 'half_open';
    this.#options.onFlow('one');
  }

  #close(): void {
    clearTimeout(this.#timer);
    this.#state = 'closed';
    this.#options.onFlow('open');
    const { engine, log } = this.#options;
    const seconds = Math.round((performance.now() - this.#downSince) / 1000);
    log.info({ engine, seconds }, 'engine circuit closed');
  }

  #note(error: Error): void {
    const { engine, log } = this.#options;
    log.warn({ engine, detail: error.message }, 'engine circuit open');
  }

  /** An engine that fails in another way is there. */
  async #unlessDown(error: unknown): Promise<void> {
    const down = toCodedError(error).code === 'unavailable';
    if (down && !(await this.#options.isElsewhere?.(error))) throw error;
  }

  #refusal(): CodedError {
    return new CodedError('unavailable', `engine ${this.#options.engine} is down; it is tried again soon`);
  }
}
