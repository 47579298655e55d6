import { setTimeout as pause } from 'node:timers/promises';
import type { Broker } from '../connection/broker.ts';
import type { Log } from '../log.ts';
import { answerPlainly, NAK } from '../take/acknowledge.ts';
import { Bell } from '../take/bell.ts';
import type { Delivery } from '../take/delivery.ts';
import { guardOf } from '../take/lease.ts';
import { Taker } from '../take/taker.ts';
import type { LoopEvents } from './events.ts';
import { HeldMessage, type LeaseSettings } from './held-message.ts';
import type { MessagePolicy } from './policy.ts';

/** How to stop; milliseconds. */
export interface StopOptions {
  /** What takes longer than this is handed back even while its handler still runs. */
  readonly graceMs: number;
  /** What ends within this is finished; then signals are aborted. Default 3000. */
  readonly finishWithinMs?: number;
}

/** Work that is taken and done in `slots` at once until it is stopped. */
export interface Loop {
  /** Messages in work. */
  active(): number;
  /** Resolves when nothing is in work; new work may be taken meanwhile unless it is paused. */
  idle(): Promise<void>;
  /** No more pulls; what is in work goes on. */
  pause(): void;
  resume(): void;
  /** From now on at most so many are in work at once, and never more than its slots; what is in work goes on. */
  limit(most: number): void;
  /**
   * No more pulls; what ends within `finishWithinMs` is finished; then signals are aborted and what comes back unfinished
   * is handed back without burning an attempt. Resolves when nothing is held any more. A second call changes nothing.
   */
  stop(options: StopOptions): Promise<void>;
}

/** What every loop needs; times are milliseconds. */
export interface MessageLoopOptions {
  readonly broker: Broker;
  readonly stream: string;
  /** Durable consumers, most urgent first. */
  readonly durables: readonly string[];
  readonly slots: number;
  readonly ackWaitMs: number;
  /** How long before its deadline a lease counts as lost; default max(1.2 s, ack_wait / 6). */
  readonly guardMs?: number | undefined;
  readonly policy: MessagePolicy;
  readonly log: Log;
  readonly on?: LoopEvents | undefined;
}

const MAX_WAIT_MS = 5_000;

/** Takes messages into slots and settles each by its policy; see `startJobLoop` and `startEventLoop`. */
export class MessageLoop implements Loop {
  readonly #options: MessageLoopOptions;
  readonly #lease: LeaseSettings;
  readonly #held = new Set<HeldMessage>();
  readonly #changed = new Bell();
  readonly #taker: Taker;
  #stopped: Promise<void> | undefined;
  #slots: number;

  constructor(options: MessageLoopOptions) {
    const { broker, stream, durables, ackWaitMs, log } = options;
    this.#options = options;
    this.#slots = options.slots;
    this.#lease = { ackWaitMs, guardMs: options.guardMs ?? guardOf(ackWaitMs) };
    this.#taker = new Taker({
      broker,
      stream,
      durables,
      log,
      // A lease runs from the sending of its pull, so a pull may not wait longer than a beat.
      waitMs: Math.min(MAX_WAIT_MS, Math.floor(ackWaitMs / 3)),
      free: () => this.#slots - this.#held.size,
      onDelivery: (delivery) => this.#receive(delivery),
    });
  }

  active(): number {
    return this.#held.size;
  }

  async idle(): Promise<void> {
    while (this.#held.size > 0) await this.#changed.next();
  }

  pause(): void {
    this.#taker.pause();
  }

  resume(): void {
    this.#taker.resume();
  }

  limit(most: number): void {
    this.#slots = Math.min(most, this.#options.slots);
    this.#taker.slotFreed();
  }

  stop(options: StopOptions): Promise<void> {
    this.#stopped ??= this.#stop(options);
    return this.#stopped;
  }

  #receive(delivery: Delivery) {
    if (this.#stopped || this.#held.size >= this.#slots) {
      this.#options.on?.surplus?.(delivery.subject);
      answerPlainly(this.#options.broker, delivery.reply, NAK);
      return;
    }
    const { broker, policy } = this.#options;
    const held = new HeldMessage(broker, delivery, policy.open(delivery), this.#lease);
    this.#held.add(held);
    void this.#work(held);
  }

  async #work(held: HeldMessage): Promise<void> {
    const { subject, count, time } = held.delivery;
    const { on, log } = this.#options;
    const startedAt = performance.now();
    try {
      on?.taken?.({ subject, delivery: count, waitMs: Math.max(0, Date.now() - time.getTime()) });
      const settled = await held.work();
      on?.settled?.({ subject, delivery: count, settled, ms: performance.now() - startedAt });
    } catch (error) {
      log.error({ subject, detail: String(error) }, 'a message could not be settled; it will come again');
    } finally {
      this.#held.delete(held);
      this.#changed.ring();
      this.#taker.slotFreed();
    }
  }

  async #stop({ graceMs, finishWithinMs = 3_000 }: StopOptions): Promise<void> {
    const pulling = this.#taker.stop();
    const finish = Math.min(finishWithinMs, graceMs);
    await this.#idleWithin(finish);
    for (const held of this.#held) held.abort('stopping');
    await this.#idleWithin(graceMs - finish);
    await Promise.all([...this.#held].map((held) => held.release()));
    await pulling;
  }

  async #idleWithin(ms: number): Promise<void> {
    const timer = new AbortController();
    const late = pause(ms, undefined, { signal: timer.signal }).catch(() => undefined);
    await Promise.race([this.idle(), late]);
    timer.abort();
  }
}
