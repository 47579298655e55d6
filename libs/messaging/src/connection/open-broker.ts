import {
  type BrokerSettings,
  type Topology,
  type TopologyConfig,
  topology,
  topologySettingsFrom,
} from '@earshot/contracts';
import type { Log } from '../log.ts';
import { accountStoreBytes } from '../store/account.ts';
import { applyTopology } from '../topology/apply.ts';
import { missingParts } from '../topology/missing.ts';
import { verifyTopology } from '../topology/verify.ts';
import type { BrokerAuth } from './auth.ts';
import type { Broker } from './broker.ts';
import { connectBroker } from './connect.ts';

export interface OpenBrokerOptions {
  readonly config: BrokerSettings & TopologyConfig;
  /** Shown in the server's connection list, e.g. `earshot-ingest`. */
  readonly name: string;
  readonly log: Log;
  /**
   * `verify` (default) refuses to go on when the streams differ from the settings; `apply` makes them so; `restore` makes
   * them again when some are missing, and refuses otherwise.
   */
  readonly topology?: 'verify' | 'apply' | 'restore';
}

/** The file wins: what was read from it at the start may be rotated since. */
const secret = (value: string | undefined, file: string | undefined) => (file ? { file } : value);

function tlsOf(config: BrokerSettings): BrokerAuth['tls'] {
  const { NATS_TLS_CA: ca, NATS_TLS_CERT: cert, NATS_TLS_KEY: key } = config;
  const handshakeFirst = config.NATS_TLS_HANDSHAKE_FIRST === 'yes';
  return ca || cert || handshakeFirst ? { ca, cert, key, handshakeFirst } : undefined;
}

const authOf = (config: BrokerSettings): BrokerAuth => ({
  creds: config.NATS_CREDS,
  token: secret(config.NATS_TOKEN, config.NATS_TOKEN_FILE),
  user: secret(config.NATS_USER, config.NATS_USER_FILE),
  password: secret(config.NATS_PASSWORD, config.NATS_PASSWORD_FILE),
  tls: tlsOf(config),
});

const mustApply = async (broker: Broker, wanted: Topology, mode: OpenBrokerOptions['topology']) =>
  mode === 'apply' || (mode === 'restore' && (await missingParts(broker, wanted)).length > 0);

/**
 * Connects as the settings say and makes sure of the streams and consumers; throws with every difference when they are
 * not as the settings want them. The caller closes the broker.
 */
export async function openBroker(options: OpenBrokerOptions): Promise<Broker> {
  const broker = await connectAs(options);
  try {
    const drift = await driftOf(broker, options);
    if (drift.length === 0) return broker;
    throw new Error(
      `the streams are not as the settings want them; apply the topology first: ${drift.join('; ')}`,
    );
  } catch (error) {
    await broker.close();
    throw error;
  }
}

/** What the broker has otherwise than the settings want, one sentence each; changes nothing, unless `topology` says so. */
export async function topologyDrift(options: OpenBrokerOptions): Promise<string[]> {
  const broker = await connectAs(options);
  try {
    return await driftOf(broker, options);
  } finally {
    await broker.close();
  }
}

const connectAs = ({ config, name, log }: OpenBrokerOptions): Promise<Broker> =>
  connectBroker({
    servers: config.NATS_URL.split(','),
    auth: authOf(config),
    inboxPrefix: config.NATS_INBOX_PREFIX,
    name,
    log,
  });

async function driftOf(broker: Broker, { config, topology: mode }: OpenBrokerOptions): Promise<string[]> {
  const wanted = topology(topologySettingsFrom(config, await accountStoreBytes(broker)));
  if (await mustApply(broker, wanted, mode)) await applyTopology(broker, wanted);
  return verifyTopology(broker, wanted);
}
