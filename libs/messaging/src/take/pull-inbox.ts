import type { Msg, Subscription } from 'nats';
import type { Broker } from '../connection/broker.ts';
import { type Delivery, parseDelivery } from './delivery.ts';

/**
 * How a pull ended: all asked for came (`full`), the server says there is no more (`empty`), it said nothing for a while
 * (`silent`), or it could not serve (`trouble`, with its words).
 */
export type PullEnd =
  | { readonly kind: 'full' | 'empty' | 'silent' }
  | { readonly kind: 'trouble'; readonly detail: string };

/** A pull of at most `batch` messages; without `expiresMs` the server answers from what is there. */
export interface PullRequest {
  readonly durable: string;
  readonly batch: number;
  readonly expiresMs?: number;
  /** The pull counts as `silent` after this long without a message. */
  readonly quietMs: number;
  /** Asked then; while it says true, the pull goes on for as long again. Never rejects. */
  readonly goOn?: () => Promise<boolean>;
}

interface OpenPull {
  left: number;
  readonly token: string;
  quiet: NodeJS.Timeout;
  readonly end: (end: PullEnd) => void;
  readonly request: PullRequest;
}

/** Codes that mean "no message for you now": none there, expired, or others are waiting. */
const EMPTY_CODES = [404, 408];

/**
 * An inbox of its own for some pulls, because a pulled message carries its own subject and can only be told by the
 * subscription it came over. After `close` the server drops what is still open; what was on its way is still handed over.
 */
export class PullInbox {
  readonly #broker: Broker;
  readonly #stream: string;
  readonly #prefix: string;
  readonly #subscription: Subscription;
  readonly #open = new Map<string, OpenPull>();
  /** By durable, when the oldest pull was sent that may still bring something: a silent one may. */
  readonly #sentAt = new Map<string, number>();
  readonly #onDelivery: (delivery: Delivery) => void;
  #next = 0;
  #closed = false;

  constructor(broker: Broker, stream: string, onDelivery: (delivery: Delivery) => void) {
    this.#broker = broker;
    this.#prefix = `${broker.newInbox()}.`;
    this.#stream = stream;
    this.#onDelivery = onDelivery;
    this.#subscription = broker.connection.subscribe(`${this.#prefix}*`, {
      callback: (error, message) => {
        if (!error) this.#safeReceive(message);
      },
    });
  }

  /** One open pull per durable at a time. */
  pull(request: PullRequest): Promise<PullEnd> {
    this.#next += 1;
    const token = String(this.#next);
    const body = {
      batch: request.batch,
      ...(request.expiresMs ? { expires: request.expiresMs * 1_000_000 } : { no_wait: true }),
    };
    if (this.#closed) return Promise.resolve({ kind: 'silent' });
    if (!this.#sentAt.has(request.durable)) this.#sentAt.set(request.durable, performance.now());
    return new Promise((resolve) => {
      const silent = () => void this.#quiet(request.durable, token);
      this.#open.set(request.durable, {
        left: request.batch,
        token,
        quiet: setTimeout(silent, request.quietMs),
        end: resolve,
        request,
      });
      const subject = `$JS.API.CONSUMER.MSG.NEXT.${this.#stream}.${request.durable}`;
      try {
        this.#broker.connection.publish(subject, JSON.stringify(body), { reply: this.#prefix + token });
      } catch (error) {
        this.#end(request.durable, { kind: 'trouble', detail: String(error) });
      }
    });
  }

  /** Ends open pulls as `silent` and lets go of the inbox; does nothing the second time. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const durable of [...this.#open.keys()]) this.#end(durable, { kind: 'silent' });
    // Rejects when the connection goes meanwhile: then nothing is on its way any more.
    this.#subscription.drain().catch(() => undefined);
  }

  async #quiet(durable: string, token: string) {
    const open = this.#open.get(durable);
    const goesOn = await open?.request.goOn?.();
    if (this.#open.get(durable)?.token !== token) return;
    if (goesOn) open?.quiet.refresh();
    else this.#end(durable, { kind: 'silent' });
  }

  /** A throw inside a callback would end the client's reader. */
  #safeReceive(message: Msg) {
    try {
      this.#receive(message);
    } catch (error) {
      this.#broker.log.error({ subject: message.subject, detail: String(error) }, 'a message was not taken');
    }
  }

  #receive(message: Msg) {
    const durable = message.reply?.startsWith('$JS.ACK.') ? undefined : this.#ofToken(message.subject);
    if (durable !== undefined) return this.#status(durable, message);
    const delivery = parseDelivery(message, performance.now());
    if (!delivery) return;
    const open = this.#open.get(delivery.durable);
    this.#onDelivery({ ...delivery, pulledAt: this.#sentAt.get(delivery.durable) ?? delivery.pulledAt });
    if (!open) return;
    open.left -= 1;
    if (open.left === 0) this.#end(delivery.durable, { kind: 'full' });
    else open.quiet.refresh();
  }

  #ofToken(subject: string): string | undefined {
    const token = subject.slice(this.#prefix.length);
    for (const [durable, open] of this.#open) if (open.token === token) return durable;
    return undefined;
  }

  #status(durable: string, message: Msg) {
    const code = message.headers?.code ?? 0;
    if (EMPTY_CODES.includes(code)) return this.#end(durable, { kind: 'empty' });
    if (code < 400) return;
    const words = code === 503 ? 'no such stream or consumer' : (message.headers?.description ?? '');
    this.#end(durable, { kind: 'trouble', detail: `${code} ${words}` });
  }

  #end(durable: string, end: PullEnd) {
    const open = this.#open.get(durable);
    if (!open) return;
    clearTimeout(open.quiet);
    this.#open.delete(durable);
    if (end.kind !== 'silent') this.#sentAt.delete(durable);
    open.end(end);
  }
}
