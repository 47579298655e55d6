import { setTimeout as pause } from 'node:timers/promises';
import { DURABLES, STREAMS } from '@earshot/contracts';
import type { Broker } from '../connection/broker.ts';
import type { Log } from '../log.ts';
import { ACK, answerPlainly, IN_PROGRESS, NAK } from '../take/acknowledge.ts';
import { Bell } from '../take/bell.ts';
import type { Delivery } from '../take/delivery.ts';
import { FactSource } from '../take/fact-source.ts';
import { type ReceivedFact, toFact } from './received-fact.ts';

/** What a fact loop is started with; times are milliseconds. */
export interface FactLoopOptions {
  readonly broker: Broker;
  /** Default TRANSCRIPTS. */
  readonly stream?: string;
  /** Default `results`. */
  readonly durable?: string;
  /** Default 200. */
  readonly maxBatch?: number;
  /** How long a batch waits to fill after its first fact; default 25. */
  readonly lingerMs?: number;
  /** `ack_wait` of the consumer; default 30 000. */
  readonly ackWaitMs?: number;
  /** Its effect must be durable and idempotent when it resolves. When it rejects, the same batch is handed to it again. */
  readonly handle: (batch: readonly ReceivedFact[]) => Promise<void>;
  readonly log: Log;
}

/** A running fact loop. */
export interface FactLoop {
  /** Resolves when no batch is in work. */
  idle(): Promise<void>;
  /** Finishes the batch in work unless it fails again, hands back what waits, takes nothing more. */
  stop(): Promise<void>;
}

/** Takes facts in batches; see `FactLoopOptions.handle`. */
export function startFactLoop(options: FactLoopOptions): FactLoop {
  return new BatchLoop(options);
}

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5_000;

/**
 * One batch at a time, while the next one gathers. Each fact is acknowledged plainly after `handle` resolved: a lost ack
 * brings it again, which its idempotent effect survives. A failed batch is kept and handed over again after a pause, with
 * beats going on, because a redelivery would come back to the same failing database. Order is not kept.
 */
class BatchLoop implements FactLoop {
  readonly #options: FactLoopOptions;
  readonly #source: FactSource;
  readonly #changed = new Bell();
  readonly #stopping = new AbortController();
  readonly #beats: NodeJS.Timeout;
  readonly #ended: Promise<void>;
  #batch: Delivery[] = [];

  constructor(options: FactLoopOptions) {
    this.#options = options;
    this.#source = new FactSource({
      broker: options.broker,
      stream: options.stream ?? STREAMS.transcripts,
      durable: options.durable ?? DURABLES.results,
      maxBatch: options.maxBatch ?? 200,
      log: options.log,
    });
    this.#beats = setInterval(() => this.#beat(), (options.ackWaitMs ?? 30_000) / 3);
    this.#ended = this.#run();
  }

  async idle(): Promise<void> {
    while (this.#batch.length > 0) await this.#changed.next();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    const rest = this.#source.stop();
    await this.#ended;
    clearInterval(this.#beats);
    for (const delivery of rest) this.#answer(delivery, NAK);
  }

  async #run(): Promise<void> {
    const signal = this.#stopping.signal;
    while (!signal.aborted) {
      this.#batch = await this.#source.next(this.#options.lingerMs ?? 25);
      if (this.#batch.length > 0) await this.#handle(this.#batch);
      this.#batch = [];
      this.#changed.ring();
    }
  }

  async #handle(batch: readonly Delivery[]): Promise<void> {
    const facts = batch.map(toFact);
    for (let wait = FIRST_PAUSE_MS; ; wait = Math.min(wait * 2, LONGEST_PAUSE_MS)) {
      try {
        await this.#inSpans(facts, () => this.#options.handle(facts));
        for (const delivery of batch) this.#answer(delivery, ACK);
        return;
      } catch (error) {
        this.#options.log.warn({ facts: batch.length, detail: String(error) }, 'a batch of facts failed');
        const signal = this.#stopping.signal;
        await pause(wait, undefined, { signal }).catch(() => undefined);
        if (!signal.aborted) continue;
        for (const delivery of batch) this.#answer(delivery, NAK);
        return;
      }
    }
  }

  #inSpans(facts: readonly ReceivedFact[], work: () => Promise<void>): Promise<void> {
    const { broker, durable = DURABLES.results, stream = STREAMS.transcripts } = this.#options;
    const messages = facts.map(({ subject, bytes, event, delivery, traceparent }) => {
      const id = event?.id === undefined ? {} : { id: event.id };
      return { subject, durable, bytes: bytes.length, ...id, delivery, traceparent };
    });
    return broker.spans.processBatch({ subject: stream, durable }, messages, work);
  }

  #beat() {
    for (const delivery of [...this.#batch, ...this.#source.waiting()]) this.#answer(delivery, IN_PROGRESS);
  }

  #answer(delivery: Delivery, words: string) {
    answerPlainly(this.#options.broker, delivery.reply, words);
  }
}
