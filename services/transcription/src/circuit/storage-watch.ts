import { setTimeout as pause } from 'node:timers/promises';
import { toCodedError } from '@earshot/domain';
import type { Log } from '@earshot/messaging';
import type { ObjectStorage } from '@earshot/storage';
import type { Flow } from './loop-valve.ts';

/** What a watch is made with. */
export interface StorageWatchOptions {
  readonly storage: Pick<ObjectStorage, 'ping'>;
  /** Told how much every loop may take from now on. */
  readonly onFlow: (flow: Flow) => void;
  readonly log: Log;
}

const ASK_EVERY_MS = 1_000;
const ANSWER_MS = 5_000;

/**
 * Tells a store that is away from one bad object, by asking the store itself when work failed. While it is away no loop
 * takes anything: every job would fail at once, and be scheduled again and again.
 */
export class StorageWatch {
  readonly #options: StorageWatchOptions;
  readonly #stopping = new AbortController();
  #away = false;

  constructor(options: StorageWatchOptions) {
    this.#options = options;
  }

  /** Whether the store is away now, asked when `error` may come from that. Never rejects. */
  async isAway(error: unknown): Promise<boolean> {
    const { code } = toCodedError(error);
    if (code !== 'unavailable' && code !== 'storage_error') return false;
    if (this.#away) return true;
    const trouble = await this.#trouble();
    if (trouble === undefined) return false;
    if (!this.#away) void this.#waitUntilBack(trouble);
    return true;
  }

  /** Asks no more. */
  stop(): void {
    this.#stopping.abort();
  }

  async #waitUntilBack(trouble: string): Promise<void> {
    const { onFlow, log } = this.#options;
    const { signal } = this.#stopping;
    this.#away = true;
    onFlow('shut');
    log.warn({ detail: trouble }, 'storage is away: no work is taken');
    const since = performance.now();
    do await pause(ASK_EVERY_MS, undefined, { signal }).catch(() => {});
    while (!signal.aborted && (await this.#trouble()) !== undefined);
    this.#away = false;
    if (signal.aborted) return;
    onFlow('open');
    log.info({ seconds: Math.round((performance.now() - since) / 1000) }, 'storage is back');
  }

  /** A mount whose server is gone may not answer at all. */
  async #trouble(): Promise<string | undefined> {
    const timer = new AbortController();
    const silence = pause(ANSWER_MS, 'the store does not answer', { signal: timer.signal });
    silence.catch(() => {});
    const answer = this.#options.storage.ping().then(
      () => undefined,
      (error) => toCodedError(error).message,
    );
    return Promise.race([answer, silence]).finally(() => timer.abort());
  }
}
