import { setTimeout as pause } from 'node:timers/promises';
import type { Broker } from '../connection/broker.ts';
import type { Log } from '../log.ts';
import { Bell } from './bell.ts';
import type { Delivery } from './delivery.ts';
import { laneOrder } from './lane-order.ts';
import { PullInbox } from './pull-inbox.ts';

/** Where a taker looks for work and whom it gives it to. */
export interface TakerOptions {
  readonly broker: Broker;
  readonly stream: string;
  /** Durable consumers, most urgent first. */
  readonly durables: readonly string[];
  /** How long one waiting pull stays open. */
  readonly waitMs: number;
  /** How many messages may be taken now. */
  readonly free: () => number;
  /** Called with every message that comes, also when nothing is free any more: then it must be handed back. */
  readonly onDelivery: (delivery: Delivery) => void;
  readonly log: Log;
}

/**
 * A `no_wait` pull is answered in under a millisecond, except where `max_ack_pending` is reached while messages wait:
 * then the server keeps it open without a word. So a lane that is silent this long is looked at: at its cap it is left out
 * of the sweeps for a moment, and a waiting pull still finds the first place that gets free; else the broker or the way to
 * it is slow, and the lane keeps its turn.
 */
const QUIET_MS = 60;
const PASS_OVER_MS = 250;
/** No longer: a pull may have been lost. */
const SLOW_MS = 1_000;

/** What is read of a consumer's state. */
interface ConsumerState {
  readonly num_ack_pending: number;
  readonly config: { readonly max_ack_pending: number };
}

/**
 * Takes messages while there are free slots: sweeps the lanes in order; when all are empty, waits on all of them at
 * once. Survives missing streams and consumers, lost pulls and lost connections.
 */
export class Taker {
  readonly #options: TakerOptions;
  readonly #bell = new Bell();
  readonly #passOver = new Map<string, number>();
  /** Sweeps in a row whose slots were full before every lane had been asked. */
  #unfinished = 0;
  #troubles = 0;
  #lastTrouble: string | undefined;
  #state: 'running' | 'paused' | 'stopped' = 'running';
  #inbox: PullInbox | undefined;
  readonly #ended: Promise<void>;

  constructor(options: TakerOptions) {
    this.#options = options;
    const off = options.broker.link.onChange(() => this.#changed());
    this.#ended = this.#run().finally(off);
  }

  /** Tells that a slot became free. */
  slotFreed(): void {
    this.#bell.ring();
  }

  pause(): void {
    this.#become('paused');
  }

  resume(): void {
    this.#become('running');
  }

  /** Resolves when no pull is open any more; at most one message per lane may still come. */
  stop(): Promise<void> {
    this.#become('stopped');
    return this.#ended;
  }

  #become(state: 'running' | 'paused' | 'stopped') {
    if (this.#state !== 'stopped') this.#state = state;
    this.#changed();
  }

  /** A stop or a pause ends open pulls; a lost connection has ended them already, unknown to us. */
  #changed() {
    if (!this.#mayPull()) this.#inbox?.close();
    this.#bell.ring();
  }

  #mayPull(): boolean {
    return this.#state === 'running' && this.#options.broker.link.connected;
  }

  async #run(): Promise<void> {
    while (this.#state !== 'stopped' && !this.#options.broker.link.closed) {
      if (this.#mayPull() && this.#options.free() > 0) await this.#safeRound();
      else await this.#bell.next();
    }
  }

  async #safeRound(): Promise<void> {
    try {
      await this.#round();
    } catch (error) {
      // The client refuses to subscribe while it drains.
      this.#note(String(error));
      await this.#backOff();
    }
  }

  async #round(): Promise<void> {
    let taken = 0;
    const arrived = new Bell();
    const inbox = new PullInbox(this.#options.broker, this.#options.stream, (delivery) => {
      taken += 1;
      this.#options.onDelivery(delivery);
      arrived.ring();
    });
    this.#inbox = inbox;
    const troubles = await this.#sweep(inbox);
    const idle = taken === 0 && this.#mayPull() && this.#options.free() > 0;
    if (idle && troubles < this.#options.durables.length) await this.#waitForAny(inbox, arrived);
    inbox.close();
    if (troubles === this.#options.durables.length) await this.#backOff();
    else this.#troubles = 0;
  }

  /** Returns in how many lanes nothing could be asked. */
  async #sweep(inbox: PullInbox): Promise<number> {
    let troubles = 0;
    let asked = 0;
    for (const durable of laneOrder(this.#options.durables, this.#unfinished + 1)) {
      const batch = this.#options.free();
      if (batch < 1 || !this.#mayPull()) break;
      asked += 1;
      if ((this.#passOver.get(durable) ?? 0) > performance.now()) continue;
      const until = performance.now() + SLOW_MS;
      const goOn = async () => performance.now() < until && this.#mayBeSlow(durable);
      const end = await inbox.pull({ durable, batch, quietMs: QUIET_MS, goOn });
      if (end.kind === 'trouble') {
        troubles += 1;
        this.#note(`${durable}: ${end.detail}`);
      }
    }
    this.#unfinished = asked === this.#options.durables.length ? 0 : this.#unfinished + 1;
    if (troubles === 0) this.#note(undefined);
    return troubles;
  }

  /** Looks at a lane that says nothing: false when it is at its cap, which leaves it out of the next sweeps, or not known. */
  async #mayBeSlow(durable: string): Promise<boolean> {
    const { broker, stream } = this.#options;
    const about = `CONSUMER.INFO.${stream}.${durable}`;
    const info = await broker.api.call<ConsumerState>(about, {}, SLOW_MS).catch(() => undefined);
    if (!info) return false;
    const { num_ack_pending, config } = info;
    const full = num_ack_pending >= config.max_ack_pending;
    if (full) this.#passOver.set(durable, performance.now() + PASS_OVER_MS);
    return !full;
  }

  async #waitForAny(inbox: PullInbox, arrived: Bell): Promise<void> {
    const { durables, waitMs } = this.#options;
    const pulls = durables.map((durable) =>
      inbox.pull({ durable, batch: 1, expiresMs: waitMs, quietMs: waitMs + 1_000 }),
    );
    const over = Promise.all(pulls);
    await Promise.race([arrived.next(), over]);
  }

  async #backOff(): Promise<void> {
    this.#troubles += 1;
    const ms = Math.min(5_000, 100 * 2 ** (this.#troubles - 1)) * (0.5 + Math.random() / 2);
    await Promise.race([pause(ms, undefined, { ref: false }), this.#bell.next()]);
  }

  #note(trouble: string | undefined) {
    if (trouble === this.#lastTrouble) return;
    this.#lastTrouble = trouble;
    const fields = { stream: this.#options.stream, detail: trouble };
    if (trouble) this.#options.log.warn(fields, 'cannot take work; trying again');
    else this.#options.log.info(fields, 'taking work again');
  }
}
