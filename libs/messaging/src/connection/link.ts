import { Events, type NatsConnection } from 'nats';
import type { Log } from '../log.ts';

/**
 * Whether the connection stands. The client drops what is written while it does not, and lets requests in flight run
 * into their timeouts; everything here waits for `connected` first and is told of a disconnect at once.
 */
export class Link {
  #connected = true;
  #closed = false;
  readonly #listeners = new Set<() => void>();

  constructor(connection: NatsConnection, log: Log) {
    void this.#watch(connection, log);
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

  async #watch(connection: NatsConnection, log: Log) {
    for await (const status of connection.status()) {
      if (status.type === Events.Disconnect) {
        log.warn({ server: status.data }, 'NATS disconnected');
        this.#set(false);
      } else if (status.type === Events.Reconnect) {
        log.info({ server: status.data }, 'NATS reconnected');
        this.#set(true);
      } else if (status.type === Events.Error) {
        log.warn({ detail: String(status.data) }, 'NATS reported an error');
      }
    }
  }

  #set(connected: boolean) {
    this.#connected = connected;
    for (const listener of [...this.#listeners]) listener();
  }
}
