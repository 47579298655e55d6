import { toCodedError } from '@earshot/domain';
import type { Log } from '@earshot/messaging';
import type { Flow } from './loop-valve.ts';

/** What a pause is made with. */
export interface QuotaPauseOptions {
  readonly engine: string;
  /** What is used up, for the log. */
  readonly what: 'quota' | 'budget';
  /** Told how much the engine's loop may take from now on. */
  readonly onFlow: (flow: Flow) => void;
  readonly log: Log;
}

const DEFAULT_RETRY_AFTER_MS = 30_000;
const LONGEST_RETRY_AFTER_MS = 15 * 60_000;

/** Leaves an engine alone until its quota, or its budget, allows calls again; no attempt is burnt meanwhile. */
export class QuotaPause {
  readonly #options: QuotaPauseOptions;
  #until: Date | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: QuotaPauseOptions) {
    this.#options = options;
  }

  /** When the engine may be asked again; undefined when it may be asked now. */
  get until(): Date | undefined {
    return this.#until;
  }

  /** Begins or prolongs the pause when `error` is about the quota. */
  notice(error: unknown): void {
    const wait = quotaWaitMs(error);
    if (wait !== undefined) this.begin(wait, toCodedError(error).message);
  }

  /** Begins or prolongs the pause. */
  begin(wait: number, detail: string): void {
    const until = new Date(Date.now() + wait);
    if (this.#until && this.#until >= until) return;
    const { engine, what, onFlow, log } = this.#options;
    if (!this.#until) log.warn({ engine, until, detail }, `engine out of ${what}`);
    this.#until = until;
    onFlow('shut');
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#end(), wait);
  }

  /** Ends its timer. */
  stop(): void {
    clearTimeout(this.#timer);
  }

  #end(): void {
    this.#until = undefined;
    this.#options.onFlow('open');
    const { engine, what, log } = this.#options;
    log.info({ engine }, `engine asked again after a ${what} pause`);
  }
}

/**
 * How long a quota error wants work to wait: its `retryAfterMs`, half a minute without one, a quarter of an hour at
 * most; undefined for other errors.
 */
export function quotaWaitMs(error: unknown): number | undefined {
  const { code, retryAfterMs } = toCodedError(error);
  if (code !== 'quota_exceeded') return undefined;
  return Math.min(retryAfterMs || DEFAULT_RETRY_AFTER_MS, LONGEST_RETRY_AFTER_MS);
}
