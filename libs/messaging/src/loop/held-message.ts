import { type Outcome, outcomeOf } from '@earshot/jobs';
import type { Span } from '@opentelemetry/api';
import type { Broker } from '../connection/broker.ts';
import { ACK, answerConfirmed, NAK } from '../take/acknowledge.ts';
import type { Delivery } from '../take/delivery.ts';
import { Lease } from '../take/lease.ts';
import { noteOutcome } from '../trace/message-spans.ts';
import { type AbortReason, abortReason, WorkAborted } from './aborted.ts';
import type { OpenedMessage, Settled } from './policy.ts';

/** How long a message may be held without a beat; milliseconds. */
export interface LeaseSettings {
  readonly ackWaitMs: number;
  readonly guardMs: number;
}

/** A message in work: its lease, its signal and how it ends. */
export class HeldMessage {
  readonly delivery: Delivery;
  readonly #broker: Broker;
  readonly #opened: OpenedMessage;
  readonly #settings: LeaseSettings;
  readonly #abort = new AbortController();
  readonly #lease: Lease;
  #released = false;

  constructor(broker: Broker, delivery: Delivery, opened: OpenedMessage, settings: LeaseSettings) {
    this.delivery = delivery;
    this.#broker = broker;
    this.#opened = opened;
    this.#settings = settings;
    this.#lease = new Lease({
      requests: broker.requests,
      reply: delivery.reply,
      ...settings,
      since: delivery.pulledAt,
      onBeat: () => void this.#askWanted(),
      onLost: () => this.abort('lease_lost'),
    });
  }

  /** Aborts the handler's signal; the first reason stays. */
  abort(reason: AbortReason): void {
    if (!this.#abort.signal.aborted) this.#abort.abort(new WorkAborted(reason));
  }

  /** Hands the message back although its handler still runs: the process ends. */
  async release(): Promise<void> {
    this.#released = true;
    this.abort('stopping');
    if (this.#lease.held()) await this.#answer(NAK);
    this.#lease.end();
  }

  /** Runs, publishes, acknowledges. Never rejects. */
  async work(): Promise<Settled> {
    const { traceparent, attempt } = this.#opened;
    const { count: delivery } = this.delivery;
    try {
      const message = { ...this.#traced(), traceparent, attempt, delivery };
      return await this.#broker.spans.process(message, (span) => this.#work(span));
    } finally {
      this.#lease.end();
    }
  }

  async #work(span: Span): Promise<Settled> {
    await this.#askWanted();
    const outcome = await this.#run();
    const settled = this.#released ? 'interrupted' : await this.#settle(outcome);
    noteOutcome(span, settled, 'error' in outcome ? outcome.error : undefined);
    return settled;
  }

  #traced() {
    const { subject, durable, bytes } = this.delivery;
    return { subject, durable, bytes: bytes.length };
  }

  async #askWanted(): Promise<void> {
    if (await this.#opened.unwanted()) this.abort('canceled');
  }

  async #run(): Promise<Outcome> {
    const signal = this.#abort.signal;
    if (!this.#lease.held() || signal.aborted) return { kind: 'interrupted' };
    try {
      return await this.#opened.run(signal);
    } catch (error) {
      return signal.aborted ? { kind: 'interrupted' } : outcomeOf(error);
    }
  }

  async #settle(outcome: Outcome): Promise<Settled> {
    this.#lease.held();
    const reason = abortReason(this.#abort.signal);
    if (reason === 'canceled') {
      await this.#answer(ACK);
      return 'canceled';
    }
    if (reason === 'lease_lost') {
      // First wins, so a finished result may still be published; the message is somebody else's now.
      if (outcome.kind === 'done') await this.#opened.settle(outcome);
      return 'lease_lost';
    }
    const stopped = reason === 'stopping' && outcome.kind === 'retry';
    const verdict = await this.#opened.settle(stopped ? { kind: 'interrupted' } : outcome);
    if (!this.#lease.held()) return 'lease_lost';
    if (verdict.answer !== undefined && !this.#released) await this.#answer(verdict.answer);
    return verdict.settled;
  }

  /** Beats go on meanwhile. An ack nobody answered leaves the message to come again, which every effect survives. */
  #answer(words: string): Promise<boolean> {
    const { requests, spans } = this.#broker;
    const limitMs = words === ACK ? this.#settings.ackWaitMs : 1_000;
    return spans.settle(words === ACK ? 'ack' : 'nak', this.#traced(), () =>
      answerConfirmed(requests, this.delivery.reply, words, limitMs),
    );
  }
}
