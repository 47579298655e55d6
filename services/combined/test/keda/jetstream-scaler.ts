/** A trigger of a ScaledObject or ScaledJob. */
export interface Trigger {
  readonly name: string;
  readonly metadata: Readonly<Record<string, string>>;
}

/** What a trigger asks for: KEDA joins its own metadata with what its TriggerAuthentication names. */
export interface Asked {
  readonly natsServerMonitoringEndpoint: string;
  readonly account: string;
  readonly stream: string;
  readonly consumer: string;
}

interface Jsz {
  readonly meta_cluster?: { readonly cluster_size: number };
  readonly account_details?: readonly {
    readonly name: string;
    readonly id: string;
    readonly stream_detail?: readonly {
      readonly name: string;
      readonly consumer_detail?: readonly Consumer[];
    }[];
  }[];
}

interface Consumer {
  readonly name: string;
  readonly num_pending: number;
  readonly num_ack_pending: number;
  readonly cluster?: { readonly leader?: string };
}

interface Varz {
  readonly server_name: string;
  readonly connect_urls?: readonly string[];
  readonly cluster: { readonly urls?: readonly string[] };
}

/** Asks one address of a monitoring port, and gives back its JSON. */
export type Get = (url: string) => Promise<unknown>;

/** The requests and the arithmetic of KEDA 2.21, pkg/scalers/nats_jetstream_scaler.go, of one trigger. */
export class JetStreamScaler {
  readonly #asked: Asked;
  readonly #get: Get;
  #leader: string | undefined;
  #leaderUrl: string | undefined;

  constructor(asked: Asked, get: Get) {
    this.#asked = asked;
    this.#get = get;
  }

  /** Jobs that wait or are in work, as the server tells that leads the consumer. */
  async lag(): Promise<number> {
    const known = this.#leader;
    const jsz = await this.#jsz(this.#leaderUrl ?? `http://${this.#asked.natsServerMonitoringEndpoint}`);
    const found = this.#consumerIn(jsz);
    this.#leader = found?.cluster?.leader;
    if (!found) this.#leaderUrl = undefined;
    const asBefore = known !== undefined && known === this.#leader;
    if (asBefore || (jsz.meta_cluster?.cluster_size ?? 0) <= 1) return this.#lagOf(found);
    return this.#lagOf(await this.#askLeader());
  }

  async #askLeader(): Promise<Consumer> {
    for (const { node, url } of await this.#nodes()) {
      const found = this.#consumerIn(await this.#jsz(url));
      if (found?.cluster?.leader !== node) continue;
      this.#leader = node;
      this.#leaderUrl = url;
      return found;
    }
    throw new Error(`leader node not found for consumer ${this.#asked.consumer}`);
  }

  /** By the addresses that servers advertise; else the first part of each route, put before the name that KEDA was given. */
  async #nodes(): Promise<{ node: string; url: string }[]> {
    const endpoint = this.#asked.natsServerMonitoringEndpoint;
    const { connect_urls = [], cluster } = await this.#varz(`http://${endpoint}`);
    if (connect_urls.length === 0) {
      const names = (cluster.urls ?? []).map((url) => url.split('.')[0] ?? '');
      return names.map((node) => ({ node, url: `http://${node}.${endpoint}` }));
    }
    const port = endpoint.split(':')[1];
    const urls = connect_urls.map((address) => `http://${address.split(':')[0]}:${port}`);
    return Promise.all(urls.map(async (url) => ({ node: (await this.#varz(url)).server_name, url })));
  }

  #consumerIn(jsz: Jsz): Consumer | undefined {
    const { account, stream, consumer } = this.#asked;
    const details = jsz.account_details?.find(({ name, id }) => account === name || account === id);
    const found = details?.stream_detail?.find(({ name }) => name === stream);
    return found?.consumer_detail?.find(({ name }) => name === consumer);
  }

  #lagOf(consumer: Consumer | undefined): number {
    const { consumer: name, stream } = this.#asked;
    if (!consumer) throw new Error(`consumer "${name}" not found in stream "${stream}"`);
    return consumer.num_pending + consumer.num_ack_pending;
  }

  async #jsz(url: string): Promise<Jsz> {
    const query = new URLSearchParams({ acc: this.#asked.account, consumers: 'true', config: 'true' });
    return (await this.#get(`${url}/jsz?${query}`)) as Jsz;
  }

  async #varz(url: string): Promise<Varz> {
    return (await this.#get(`${url}/varz`)) as Varz;
  }
}
