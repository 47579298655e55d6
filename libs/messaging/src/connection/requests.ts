import type { Msg, MsgHdrs, NatsConnection } from 'nats';
import type { Link, Refusal } from './link.ts';
import { NoAnswer } from './no-answer.ts';

interface Waiting {
  readonly subject: string;
  readonly deadline: number;
  readonly resolve: (reply: Msg) => void;
  readonly reject: (error: NoAnswer) => void;
}

/** A request's headers and how long to wait for its answer. */
export interface RequestOptions {
  readonly timeoutMs: number;
  readonly headers?: MsgHdrs | undefined;
}

const SWEEP_MS = 50;
/** How long a refused inbox stays refused before it is asked for again. */
const DEAF_MS = 1_000;

/**
 * Requests over one shared reply inbox: a map of waiting promises and one sweep for their timeouts, so that a publish
 * costs no subscription and no timer of its own. What is in flight at a disconnect fails at once.
 */
export class Requests {
  readonly #connection: NatsConnection;
  readonly #link: Link;
  readonly #prefix: string;
  readonly #waiting = new Map<string, Waiting>();
  #next = 0;
  /** Why no answer can come, and since when. */
  #deaf: { readonly words: string; readonly since: number } | undefined;
  #sweep: NodeJS.Timeout | undefined;

  constructor(connection: NatsConnection, link: Link, inbox: string) {
    this.#prefix = `${inbox}.`;
    this.#connection = connection;
    this.#link = link;
    this.#listen();
    link.onChange(() => {
      if (!link.connected) this.#failAll(link.closed ? 'closed' : 'disconnected');
    });
    link.onRefusal((refusal) => this.#refused(refusal));
  }

  /** Resolves to the reply; rejects with `NoAnswer` within `timeoutMs` and 50 ms. Never repeats. */
  async request(subject: string, payload: Uint8Array | string, options: RequestOptions): Promise<Msg> {
    const deadline = performance.now() + options.timeoutMs;
    if (!this.#link.connected && !(await this.#link.whenConnected(options.timeoutMs))) {
      throw new NoAnswer(this.#link.closed ? 'closed' : 'disconnected', subject);
    }
    if (this.#deaf && performance.now() - this.#deaf.since > DEAF_MS) this.#listen();
    if (this.#deaf) throw new NoAnswer('refused', subject, this.#deaf.words);
    return new Promise((resolve, reject) => this.#send(subject, payload, options, deadline, resolve, reject));
  }

  #listen() {
    this.#deaf = undefined;
    this.#connection.subscribe(`${this.#prefix}*`, {
      // With an error, which is a refused subscription, there is no reply; a throw in here would end the client's reader.
      callback: (error, reply) => {
        if (!error) this.#answer(reply);
      },
    });
  }

  #send(
    subject: string,
    payload: Uint8Array | string,
    options: RequestOptions,
    deadline: number,
    resolve: Waiting['resolve'],
    reject: Waiting['reject'],
  ) {
    this.#next += 1;
    const token = this.#next.toString(36);
    try {
      this.#connection.publish(subject, payload, {
        reply: this.#prefix + token,
        ...(options.headers ? { headers: options.headers } : {}),
      });
    } catch {
      // The client throws only when it is closed or draining.
      reject(new NoAnswer('closed', subject));
      return;
    }
    this.#waiting.set(token, { subject, deadline, resolve, reject });
    this.#sweep ??= setInterval(() => this.#expire(), SWEEP_MS);
  }

  #answer(reply: Msg) {
    const token = reply.subject.slice(this.#prefix.length);
    const waiting = this.#waiting.get(token);
    if (!waiting) return;
    this.#forget(token);
    if (reply.headers?.code === 503 && reply.data.length === 0) {
      waiting.reject(new NoAnswer('no_responders', waiting.subject));
    } else {
      waiting.resolve(reply);
    }
  }

  #expire() {
    const now = performance.now();
    for (const [token, waiting] of this.#waiting) {
      if (waiting.deadline > now) continue;
      this.#forget(token);
      waiting.reject(new NoAnswer('timeout', waiting.subject));
    }
  }

  /** The server names the subject only, so all that wait on it fail; the client has dropped a refused subscription. */
  #refused({ operation, subject }: Refusal) {
    if (operation === 'publish') {
      this.#failAll('refused', 'our NATS user may not publish there', (waiting) => waiting === subject);
    } else if (subject.startsWith(this.#prefix)) {
      const words = `our NATS user may not listen to ${subject}: check NATS_INBOX_PREFIX`;
      this.#deaf = { words, since: performance.now() };
      this.#failAll('refused', words);
    }
  }

  #failAll(reason: NoAnswer['reason'], detail?: string, concerned = (_subject: string) => true) {
    for (const [token, { subject, reject }] of this.#waiting) {
      if (!concerned(subject)) continue;
      this.#forget(token);
      reject(new NoAnswer(reason, subject, detail));
    }
  }

  #forget(token: string) {
    this.#waiting.delete(token);
    if (this.#waiting.size > 0) return;
    clearInterval(this.#sweep);
    this.#sweep = undefined;
  }
}
