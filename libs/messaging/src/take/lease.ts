import type { Requests } from '../connection/requests.ts';
import { IN_PROGRESS } from './acknowledge.ts';

/** A lease on one message; times are milliseconds. */
export interface LeaseOptions {
  readonly requests: Requests;
  readonly reply: string;
  readonly ackWaitMs: number;
  /** How long before the broker's deadline the lease counts as lost. */
  readonly guardMs: number;
  /** Monotonic time from which the lease runs. */
  readonly since: number;
  readonly onBeat: () => void;
  /** Called once, and never after `end`. */
  readonly onLost: () => void;
}

/** Restored timers may end 1 s early after a broker's restart, and stopping takes a moment. */
export const guardOf = (ackWaitMs: number) => Math.max(1_200, ackWaitMs / 6);

/**
 * Keeps a message ours by in-progress requests, every third of ack_wait, counted from the pull that brought it. It is lost
 * when the last *answered* one was sent longer ago than ack_wait less the guard: the broker answers beats that come too
 * late as well, so only our own monotonic clock can tell. An answer counts for as long as the lease is held.
 */
export class Lease {
  readonly #options: LeaseOptions;
  #beats: NodeJS.Timeout | undefined;
  #deadline: NodeJS.Timeout | undefined;
  #confirmedAt: number;
  #state: 'held' | 'lost' | 'ended' = 'held';

  constructor(options: LeaseOptions) {
    this.#options = options;
    this.#confirmedAt = options.since;
    this.#beatIn(Math.max(0, options.since + options.ackWaitMs / 3 - performance.now()));
    this.#watchDeadline();
  }

  /** Asks the clock, so that a process that was stopped notices before its timers do. */
  held(): boolean {
    if (this.#state === 'held' && this.#left() <= 0) this.#lose();
    return this.#state === 'held';
  }

  /** Stops the beats; the broker's timer goes on. */
  end(): void {
    if (this.#state === 'held') this.#state = 'ended';
    clearTimeout(this.#beats);
    clearTimeout(this.#deadline);
  }

  #beatIn(ms: number) {
    this.#beats = setTimeout(() => void this.#beat(), ms);
  }

  async #beat(): Promise<void> {
    if (!this.held()) return;
    const { requests, reply, ackWaitMs, onBeat } = this.#options;
    this.#beatIn(ackWaitMs / 3);
    onBeat();
    const sentAt = performance.now();
    const answered = await requests.request(reply, IN_PROGRESS, { timeoutMs: this.#left() }).then(
      () => true,
      () => false,
    );
    if (!answered || !this.held()) return;
    this.#confirmedAt = Math.max(sentAt, this.#confirmedAt);
    this.#watchDeadline();
  }

  #left(): number {
    return this.#confirmedAt + this.#options.ackWaitMs - this.#options.guardMs - performance.now();
  }

  #watchDeadline() {
    clearTimeout(this.#deadline);
    this.#deadline = setTimeout(() => this.held() && this.#watchDeadline(), Math.max(0, this.#left()) + 1);
  }

  #lose() {
    this.#state = 'lost';
    clearTimeout(this.#beats);
    clearTimeout(this.#deadline);
    this.#options.onLost();
  }
}
