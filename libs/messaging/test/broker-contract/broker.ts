import { eventually, startTestBroker, type TestBroker } from '@earshot/testkit';
import { connect, createInbox, headers, type Msg, type NatsConnection } from 'nats';
import { afterAll, beforeAll } from 'vitest';

type Answer = { error?: { code: number; err_code: number; description: string } } & Record<string, unknown>;

/** What a pull brought, and the status line that ended it. */
export interface Pulled {
  readonly messages: Msg[];
  readonly status: string | undefined;
}

/**
 * The plain client on a real server: what the broker does, before any code of ours. Every test makes streams of its own.
 */
export class Contract {
  static #names = 0;
  readonly server: TestBroker;
  readonly nc: NatsConnection;

  constructor(server: TestBroker, nc: NatsConnection) {
    this.server = server;
    this.nc = nc;
  }

  async api<T = Answer>(operation: string, body: object = {}): Promise<T> {
    return (
      await this.nc.request(`$JS.API.${operation}`, JSON.stringify(body), { timeout: 5_000 })
    ).json<T>();
  }

  /** A new stream over `<name>.>`; returns its name. */
  async stream(config: object = {}): Promise<string> {
    Contract.#names += 1;
    const name = `s${Contract.#names}`;
    const base = { name, subjects: [`${name}.>`], storage: 'file', retention: 'workqueue', num_replicas: 1 };
    const answer = await this.api(`STREAM.CREATE.${name}`, { ...base, ...config });
    if (answer.error) throw new Error(answer.error.description);
    return name;
  }

  /** The durable `c` of `stream`; ack_wait 1 s unless told. */
  async consumer(stream: string, config: object = {}): Promise<Answer> {
    const base = { durable_name: 'c', ack_policy: 'explicit', ack_wait: 1e9, max_deliver: -1 };
    return this.api(`CONSUMER.CREATE.${stream}.c`, { stream_name: stream, config: { ...base, ...config } });
  }

  /** A stream with a consumer and `count` messages `<name>.0`, `<name>.1`, … */
  async queue(count: number, consumer: object = {}, stream: object = {}): Promise<string> {
    const name = await this.stream(stream);
    await this.consumer(name, consumer);
    for (let index = 0; index < count; index += 1) await this.publish(`${name}.${index}`, `m${index}`);
    return name;
  }

  async publish(subject: string, payload = '', values: Record<string, string> = {}): Promise<Answer> {
    const all = headers();
    for (const [name, value] of Object.entries(values)) all.set(name, value);
    return (await this.nc.request(subject, payload, { timeout: 5_000, headers: all })).json<Answer>();
  }

  /** A raw pull on an inbox of its own; ends with its batch, a status line, or after `ms`. */
  async pull(stream: string, request: object = { batch: 1, expires: 3e9 }, ms = 4_000): Promise<Pulled> {
    const { batch = 1 } = request as { batch?: number };
    const messages: Msg[] = [];
    let status: string | undefined;
    const inbox = createInbox();
    const ended = new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      const end = () => {
        clearTimeout(timer);
        resolve();
      };
      this.nc.subscribe(inbox, {
        callback: (_, message) => {
          if (message.reply) messages.push(message);
          else status = `${message.headers?.code} ${message.headers?.description}`;
          if (messages.length === batch || status) end();
        },
      });
      this.nc.publish(`$JS.API.CONSUMER.MSG.NEXT.${stream}.c`, JSON.stringify(request), { reply: inbox });
    });
    await ended;
    return { messages, status };
  }

  /** The one message of a pull that must bring one. */
  async take(stream: string, expires = 3e9): Promise<Msg & { reply: string }> {
    const { messages, status } = await this.pull(stream, { batch: 1, expires });
    const [message] = messages;
    if (!message?.reply) throw new Error(`no message: ${status}`);
    return message as Msg & { reply: string };
  }

  /** Sends an acknowledgement as a request. */
  async answer(message: { reply: string }, words: string): Promise<void> {
    await this.nc.request(message.reply, words, { timeout: 5_000 });
  }

  async count(stream: string): Promise<number> {
    return (await this.api<{ state: { messages: number } }>(`STREAM.INFO.${stream}`)).state.messages;
  }

  /** SIGKILL, start, and the client connected again. */
  async restart(): Promise<void> {
    await this.server.kill();
    await this.server.start();
    await eventually('the client to be back', () =>
      this.nc
        .request('$JS.API.INFO', '', { timeout: 200 })
        .then((answer) => !answer.string().includes('"error"')),
    );
  }
}

/** The count of deliveries in a message's reply subject. */
export const deliveryOf = (message: { reply: string }) => Number(message.reply.split('.')[4]);

export const ELSS = 'Nats-Expected-Last-Subject-Sequence';

/** One server for a test file. */
export function useContract(options: Parameters<typeof startTestBroker>[0] = {}): () => Contract {
  let contract: Contract | undefined;
  beforeAll(async () => {
    const server = await startTestBroker(options);
    const nc = await connect({ servers: server.url, maxReconnectAttempts: -1, reconnectTimeWait: 50 });
    contract = new Contract(server, nc);
  });
  afterAll(async () => {
    await contract?.nc.close();
    await contract?.server.dispose();
  });
  return () => {
    if (!contract) throw new Error('not started yet');
    return contract;
  };
}
