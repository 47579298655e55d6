import { DebugEvents, Events, type NatsConnection, type Status } from 'nats';
import type { Log } from '../log.ts';
import { atMostEvery } from './at-most-every.ts';
import type { BrokerAuth } from './auth.ts';
import { connectionHint } from './connection-hint.ts';

/** What the server did not let us do. */
export interface Refusal {
  readonly operation: string;
  readonly subject: string;
}

const LOG_EVERY_MS = 5_000;

/** The client does not tell why it cannot come back; refused credentials are told by the server itself. */
const notBackYet = (auth: BrokerAuth | undefined) =>
  `NATS is not back yet: see whether it runs${auth?.tls ? ', and the files of NATS_TLS_CA, NATS_TLS_CERT and NATS_TLS_KEY' : ''}`;

/**
 * Whether the connection stands. The client drops what is written while it does not, and lets requests in flight run
 * into their timeouts; everything here waits for `connected` first and is told of a disconnect at once.
 */
export class Link {
  #connected = true;
  #closed = false;
  readonly #log: Log;
  readonly #auth: BrokerAuth | undefined;
  readonly #listeners = new Set<() => void>();
  readonly #refusalListeners = new Set<(refusal: Refusal) => void>();
  readonly #seldom = atMostEvery(LOG_EVERY_MS);

  constructor(connection: NatsConnection, log: Log, auth?: BrokerAuth) {
    this.#log = log;
    this.#auth = auth;
    void this.#watch(connection);
    void connection.closed().then(() => {
      this.#closed = true;
      this.#set(false);
    });
  }

  get connected(): boolean {
    return this.#connected;
  }

  /** True when it will never be connected again. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Calls back at each change until the returned function is called. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Calls back whenever the server says that our user lacks a permission. */
  onRefusal(listener: (refusal: Refusal) => void): void {
    this.#refusalListeners.add(listener);
  }

  /** Resolves to whether it is connected, as soon as it is, it never will be, or `timeoutMs` have passed. */
  whenConnected(timeoutMs: number): Promise<boolean> {
    if (this.#connected || this.#closed) return Promise.resolve(this.#connected);
    return new Promise((resolve) => {
      const finish = () => {
        clearTimeout(timer);
        off();
        resolve(this.#connected);
      };
      const timer = setTimeout(finish, timeoutMs);
      const off = this.onChange(finish);
    });
  }

  async #watch(connection: NatsConnection) {
    for await (const status of connection.status()) {
      if (status.type === Events.Disconnect) {
        this.#log.warn({ server: status.data }, 'NATS disconnected');
        this.#seldom(() => undefined);
        this.#set(false);
      } else if (status.type === Events.Reconnect) {
        this.#log.info({ server: status.data }, 'NATS reconnected');
        this.#set(true);
      } else if (status.type === DebugEvents.Reconnecting) {
        this.#seldom(() => this.#log.warn({ server: status.data }, notBackYet(this.#auth)));
      } else if (status.type === Events.Error) {
        this.#error(status);
      }
    }
  }

  #error({ data, permissionContext }: Status) {
    const detail = String(data);
    if (permissionContext) {
      const { operation, subject } = permissionContext;
      this.#log.warn({ detail, operation, subject }, 'NATS refuses a subject: our user lacks a permission');
      for (const listener of this.#refusalListeners) listener({ operation, subject });
    } else if (/AUTH|EXPIRED/.test(detail)) {
      const hint = connectionHint({ code: detail }, this.#auth);
      this.#seldom(() => this.#log.warn({ detail, code: 'unavailable' }, hint));
    } else {
      this.#log.warn({ detail }, 'NATS reported an error');
    }
  }

  #set(connected: boolean) {
    this.#connected = connected;
    for (const listener of [...this.#listeners]) listener();
  }
}
