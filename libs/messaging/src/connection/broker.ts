import { CodedError } from '@earshot/domain';
import type { EngineDirectory, JobDirectory, Publisher } from '@earshot/jobs';
import { createInbox, type NatsConnection } from 'nats';
import type { Log } from '../log.ts';
import { BrokerPublisher } from '../publish/publisher.ts';
import { BrokerEngineDirectory } from '../read/engine-directory.ts';
import { BrokerFactReader } from '../read/fact-reader.ts';
import { BrokerJobDirectory } from '../read/job-directory.ts';
import { MessageSpans } from '../trace/message-spans.ts';
import type { BrokerAuth } from './auth.ts';
import { JsApi } from './js-api.ts';
import { Link } from './link.ts';
import { Requests } from './requests.ts';

/** One connection to NATS with everything that works over it. Made by `connectBroker`, closed by its caller. */
export class Broker {
  readonly publisher: Publisher;
  readonly facts: BrokerFactReader;
  readonly engines: EngineDirectory;
  readonly jobs: JobDirectory;
  /** Resolves when the connection is over for good, with the error unless we closed it; then the process must exit. */
  readonly closed: Promise<Error | undefined>;
  /** For the modules of this package only, as is all below. */
  readonly connection: NatsConnection;
  readonly link: Link;
  readonly requests: Requests;
  readonly api: JsApi;
  readonly spans: MessageSpans;
  readonly log: Log;
  readonly #inboxPrefix: string | undefined;

  constructor(
    connection: NatsConnection,
    options: {
      readonly name: string;
      readonly log: Log;
      readonly auth?: BrokerAuth | undefined;
      readonly inboxPrefix?: string | undefined;
    },
  ) {
    const { log } = options;
    this.connection = connection;
    this.log = log;
    this.link = new Link(connection, log, options.auth);
    this.#inboxPrefix = options.inboxPrefix;
    this.requests = new Requests(connection, this.link, this.newInbox());
    this.api = new JsApi(this.requests);
    this.spans = new MessageSpans(options.name, () => connection.getServer());
    this.publisher = new BrokerPublisher(this.requests, this.spans);
    this.facts = new BrokerFactReader(this.api);
    this.engines = new BrokerEngineDirectory(this.api);
    this.jobs = new BrokerJobDirectory(this.api);
    this.closed = connection.closed().then((error) => error ?? undefined);
  }

  /** A subject for answers that nobody else has, below the inbox prefix of this connection. */
  newInbox(): string {
    return createInbox(this.#inboxPrefix);
  }

  /** Milliseconds of one round trip; throws `unavailable` after `timeoutMs`. */
  async ping(timeoutMs = 2_000): Promise<number> {
    const sentAt = performance.now();
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error('no answer in time')), timeoutMs);
    });
    try {
      await Promise.race([this.connection.flush(), late]);
      return performance.now() - sentAt;
    } catch (error) {
      throw new CodedError('unavailable', 'NATS does not answer', { cause: error });
    } finally {
      clearTimeout(timer);
    }
  }

  /** Sends what is buffered, then closes. Stop the loops first. */
  async drain(): Promise<void> {
    if (this.connection.isClosed()) return;
    if (!this.link.connected) return this.close();
    await this.connection.drain();
  }

  /** Closes at once; what is buffered may be lost. Does nothing the second time. */
  async close(): Promise<void> {
    await this.connection.close();
  }
}
