import { setTimeout as pause } from 'node:timers/promises';
import { CodedError } from '@earshot/domain';
import { type ConnectionOptions, connect, type NatsConnection } from 'nats';
import type { Log } from '../log.ts';
import { atMostEvery } from './at-most-every.ts';
import { authOptions, type BrokerAuth } from './auth.ts';
import { Broker } from './broker.ts';
import { checkServer } from './check-server.ts';
import { connectionHint } from './connection-hint.ts';

/** Where the broker is and how this process presents itself. */
export interface BrokerOptions {
  /** `nats://` or `tls://` addresses; any of them will do. */
  readonly servers: readonly string[];
  readonly auth?: BrokerAuth | undefined;
  /** What the subjects of our inboxes begin with; default `_INBOX`. Our user must be allowed to listen below it. */
  readonly inboxPrefix?: string | undefined;
  /** Shown in the server's connection list, e.g. `earshot-ingest`. */
  readonly name: string;
  readonly log: Log;
  /** Ends the wait for the first connection; `connectBroker` then rejects with its reason. */
  readonly signal?: AbortSignal | undefined;
}

/** An address `tls://` means it: without this the client would go on in the clear where a server offers no TLS. */
const authOf = ({ servers, auth = {} }: BrokerOptions): BrokerAuth =>
  auth.tls || !servers.some((server) => server.startsWith('tls://')) ? auth : { ...auth, tls: {} };

const clientOptions = (options: BrokerOptions): ConnectionOptions => ({
  ...authOptions(authOf(options), options.servers),
  servers: [...options.servers],
  name: options.name,
  ...(options.inboxPrefix ? { inboxPrefix: options.inboxPrefix } : {}),
  timeout: 5_000,
  // Never close for good while the process lives; notice a silent partition after 10 to 15 s.
  maxReconnectAttempts: -1,
  reconnectTimeWait: 200,
  reconnectJitter: 300,
  reconnectJitterTLS: 1_000,
  ignoreAuthErrorAbort: true,
  pingInterval: 5_000,
  maxPingOut: 2,
});

const LOG_EVERY_MS = 5_000;

/** The client's own wait for the first connection would hide why it waits. */
async function firstConnection(options: BrokerOptions): Promise<NatsConnection> {
  const seldom = atMostEvery(LOG_EVERY_MS);
  for (;;) {
    try {
      return await connect(clientOptions(options));
    } catch (error) {
      const fields = { servers: options.servers, code: 'unavailable', detail: String(error) };
      const hint = connectionHint(error, options.auth);
      seldom(() => options.log.warn(fields, `waiting for NATS: ${hint}`));
      await pause(500, undefined, { signal: options.signal });
    }
  }
}

/**
 * Connects, waiting as long as it takes (a line in the log each 5 s says what to do), and checks that the server is new
 * enough and has JetStream: `unavailable` otherwise. The caller closes the broker, and ends the process when `closed` resolves.
 */
export async function connectBroker(options: BrokerOptions): Promise<Broker> {
  if (options.servers.length === 0) throw new CodedError('internal', 'no NATS server is given');
  options.signal?.throwIfAborted();
  const connection = await firstConnection(options);
  const broker = new Broker(connection, options);
  try {
    await checkServer(broker);
  } catch (error) {
    await broker.close();
    throw error;
  }
  options.log.info(
    { server: connection.getServer(), version: connection.info?.version },
    'connected to NATS',
  );
  return broker;
}
