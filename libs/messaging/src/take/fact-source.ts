import { setTimeout as pause } from 'node:timers/promises';
import type { Broker } from '../connection/broker.ts';
import type { Log } from '../log.ts';
import { answerPlainly, NAK } from './acknowledge.ts';
import { Bell } from './bell.ts';
import type { Delivery } from './delivery.ts';
import { PullInbox } from './pull-inbox.ts';

/** Which consumer to gather from. */
export interface FactSourceOptions {
  readonly broker: Broker;
  readonly stream: string;
  readonly durable: string;
  readonly maxBatch: number;
  readonly log: Log;
}

const WAIT_MS = 5_000;

/** Gathers up to `maxBatch` messages ahead of its reader, by one waiting pull after another. */
export class FactSource {
  readonly #options: FactSourceOptions;
  readonly #changed = new Bell();
  #waiting: Delivery[] = [];
  #inbox: PullInbox | undefined;
  #stopped = false;

  constructor(options: FactSourceOptions) {
    this.#options = options;
    const off = options.broker.link.onChange(() => {
      // A server that went away has forgotten our pull.
      this.#inbox?.close();
      this.#changed.ring();
    });
    void this.#run().finally(off);
  }

  /** What has come and was not read yet. */
  waiting(): readonly Delivery[] {
    return this.#waiting;
  }

  /** The next batch: at least one message, as soon as it is full or `lingerMs` after its first; empty once stopped. */
  async next(lingerMs: number): Promise<Delivery[]> {
    while (this.#waiting.length === 0 && !this.#stopped) await this.#changed.next();
    const linger = AbortSignal.timeout(lingerMs);
    linger.addEventListener('abort', () => this.#changed.ring());
    while (this.#waiting.length < this.#options.maxBatch && !linger.aborted && !this.#stopped) {
      await this.#changed.next();
    }
    if (this.#stopped) return [];
    const batch = this.#waiting.slice(0, this.#options.maxBatch);
    this.#waiting = this.#waiting.slice(this.#options.maxBatch);
    this.#changed.ring();
    return batch;
  }

  /** Takes nothing more and returns what was not read; the caller hands it back. */
  stop(): readonly Delivery[] {
    this.#stopped = true;
    this.#inbox?.close();
    this.#changed.ring();
    return this.#waiting;
  }

  async #run(): Promise<void> {
    let troubles = 0;
    while (!this.#stopped && !this.#options.broker.link.closed) {
      const room = this.#options.maxBatch - this.#waiting.length;
      const { link, connection } = this.#options.broker;
      if (room < 1 || !link.connected || connection.isDraining()) await this.#changed.next();
      else if (await this.#gather(room)) troubles = 0;
      else {
        troubles += 1;
        const ms = Math.min(5_000, 100 * 2 ** (troubles - 1));
        await Promise.race([pause(ms, undefined, { ref: false }), this.#changed.next()]);
      }
    }
  }

  /** One waiting pull for what there is room for; false when the broker could not serve it. */
  async #gather(batch: number): Promise<boolean> {
    const { broker, stream, durable, log } = this.#options;
    const inbox = new PullInbox(broker, stream, (delivery) => {
      if (this.#stopped) return answerPlainly(broker, delivery.reply, NAK);
      this.#waiting.push(delivery);
      this.#changed.ring();
    });
    this.#inbox = inbox;
    const end = await inbox.pull({ durable, batch, expiresMs: WAIT_MS, quietMs: WAIT_MS + 1_000 });
    inbox.close();
    if (end.kind === 'trouble')
      log.warn({ stream, durable, detail: end.detail }, 'cannot take facts; trying again');
    return end.kind !== 'trouble';
  }
}
