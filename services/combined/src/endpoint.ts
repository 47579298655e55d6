import { setTimeout as pause } from 'node:timers/promises';
import { runningService } from '@earshot/embedded';

/** An Earshot to submit to; `close` is there only when it was started for us. */
export interface Attached {
  readonly url: string;
  close?(): Promise<void>;
}

/**
 * Finds the running Earshot of a home, or starts one. Several commands may share one that another command started; when
 * that one leaves, {@link replace} finds or starts the next, which knows everything that was submitted before.
 */
export class Endpoint {
  readonly #home: string;
  readonly #start: () => Promise<Attached>;
  #attached: Promise<Attached> | undefined;

  constructor(home: string, start: () => Promise<Attached>) {
    this.#home = home;
    this.#start = start;
  }

  async url(): Promise<string> {
    this.#attached ??= this.#attach();
    return (await this.#attached).url;
  }

  /** Forgets `lost` and resolves to what to use instead; many callers may report the same loss. */
  async replace(lost: string): Promise<string> {
    if ((await this.url()) === lost) this.#attached = undefined;
    return this.url();
  }

  /** Ends what was started here. Idempotent. */
  async close(): Promise<void> {
    const attached = await this.#attached?.catch(() => undefined);
    this.#attached = undefined;
    await attached?.close?.();
  }

  async #attach(): Promise<Attached> {
    for (;;) {
      const running = await runningService({ home: this.#home, name: 'combined' });
      if (!running) return this.#start();
      if (running.url && (await answers(running.url))) return { url: running.url };
      await pause(100);
    }
  }
}

/** False while it starts or stops. */
async function answers(url: string): Promise<boolean> {
  return fetch(new URL('/readyz', url)).then(
    (response) => response.ok,
    () => false,
  );
}
