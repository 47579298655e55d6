import { setTimeout as pause } from 'node:timers/promises';
import { CodedError } from '@earshot/domain';
import { type ConnectionOptions, connect, type NatsConnection, type NatsError } from 'nats';
import type { Log } from '../log.ts';
import { authOptions, type BrokerAuth } from './auth.ts';
import { Broker } from './broker.ts';
import { checkServer } from './check-server.ts';

/** Where the broker is and how this process presents itself. */
export interface BrokerOptions {
  /** `nats://` or `tls://` addresses; any of them will do. */
  readonly servers: readonly string[];
  readonly auth?: BrokerAuth | undefined;
  /** Shown in the server's connection list, e.g. `earshot-ingest`. */
  readonly name: string;
  readonly log: Log;
  /** Ends the wait for the first connection; `connectBroker` then rejects with its reason. */
  readonly signal?: AbortSignal | undefined;
}

const clientOptions = (options: BrokerOptions): ConnectionOptions => ({
  ...authOptions(options.auth ?? {}),
  servers: [...options.servers],
  name: options.name,
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

/** What to do about a refused connection, in one line for the log. */
export function connectionHint(error: unknown): string {
  const code = String((error as NatsError).code ?? '');
  if (/AUTH|PERMISSIONS/.test(code)) {
    return 'the server refuses our credentials: check NATS_CREDS, NATS_TOKEN or NATS_USER and NATS_PASSWORD';
  }
  if (/TLS|CERT|SSL/i.test(`${code} ${String(error)}`)) {
    return 'TLS failed: check NATS_TLS_CA, NATS_TLS_CERT and NATS_TLS_KEY';
  }
  return 'nothing answers there: start nats-server or check NATS_URL';
}

/** The client's own wait for the first connection would hide why it waits. */
async function firstConnection(options: BrokerOptions): Promise<NatsConnection> {
  let silentUntil = 0;
  for (;;) {
    try {
      return await connect(clientOptions(options));
    } catch (error) {
      if (performance.now() >= silentUntil) {
        silentUntil = performance.now() + LOG_EVERY_MS;
        const fields = { servers: options.servers, detail: String(error) };
        options.log.warn(fields, `waiting for NATS: ${connectionHint(error)}`);
      }
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
