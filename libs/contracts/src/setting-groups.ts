import Type, { type Static } from 'typebox';
import { parseMaxAckPending, settings } from './settings.ts';
import type { TopologySettings } from './topology.ts';

/** How a service reaches the broker. */
export const brokerSettings = {
  NATS_URL: settings.NATS_URL,
  NATS_CREDS: settings.NATS_CREDS,
  NATS_TOKEN: settings.NATS_TOKEN,
  NATS_TOKEN_FILE: settings.NATS_TOKEN_FILE,
  NATS_USER: settings.NATS_USER,
  NATS_USER_FILE: settings.NATS_USER_FILE,
  NATS_PASSWORD: settings.NATS_PASSWORD,
  NATS_PASSWORD_FILE: settings.NATS_PASSWORD_FILE,
  NATS_INBOX_PREFIX: settings.NATS_INBOX_PREFIX,
  NATS_TLS_CA: settings.NATS_TLS_CA,
  NATS_TLS_CERT: settings.NATS_TLS_CERT,
  NATS_TLS_KEY: settings.NATS_TLS_KEY,
  NATS_TLS_HANDSHAKE_FIRST: settings.NATS_TLS_HANDSHAKE_FIRST,
};
const BrokerSettingsSchema = Type.Object(brokerSettings);
export type BrokerSettings = Static<typeof BrokerSettingsSchema>;

/** What the topology is computed from; the same in every service, or they refuse to start on drift. */
export const topologySettings = {
  EARSHOT_ENGINES: settings.EARSHOT_ENGINES,
  EARSHOT_ACK_WAIT_SECONDS: settings.EARSHOT_ACK_WAIT_SECONDS,
  EARSHOT_MAX_ACK_PENDING: settings.EARSHOT_MAX_ACK_PENDING,
  EARSHOT_FACTS_DAYS: settings.EARSHOT_FACTS_DAYS,
  EARSHOT_NATS_STORE_BYTES: settings.EARSHOT_NATS_STORE_BYTES,
  EARSHOT_NATS_REPLICAS: settings.EARSHOT_NATS_REPLICAS,
};
const TopologySettingsSchema = Type.Object(topologySettings);
export type TopologyConfig = Static<typeof TopologySettingsSchema>;

/** When `/v1/queue` advises to change the number of workers or their concurrency. */
export const scalingSettings = {
  EARSHOT_MIN_WORKERS: settings.EARSHOT_MIN_WORKERS,
  EARSHOT_SCALE_UP_QUEUE: settings.EARSHOT_SCALE_UP_QUEUE,
  EARSHOT_SCALE_DOWN_QUEUE: settings.EARSHOT_SCALE_DOWN_QUEUE,
  EARSHOT_SCALE_WAIT_SECONDS: settings.EARSHOT_SCALE_WAIT_SECONDS,
  EARSHOT_SCALE_CPU_PERCENT: settings.EARSHOT_SCALE_CPU_PERCENT,
  EARSHOT_SCALE_MEMORY_PERCENT: settings.EARSHOT_SCALE_MEMORY_PERCENT,
  EARSHOT_SCALE_FAILURE_PERCENT: settings.EARSHOT_SCALE_FAILURE_PERCENT,
  EARSHOT_SCALE_STEADY_SECONDS: settings.EARSHOT_SCALE_STEADY_SECONDS,
  EARSHOT_SCALE_CLEAR_MINUTES: settings.EARSHOT_SCALE_CLEAR_MINUTES,
};
const ScalingSettingsSchema = Type.Object(scalingSettings);
export type ScalingConfig = Static<typeof ScalingSettingsSchema>;

/** The settings every process has: its listener on `port` unless told otherwise, its log and how it stops. */
export const processSettings = (port: number) => ({
  PORT: Type.Integer({
    description: 'Port of the HTTP listener',
    default: port,
    minimum: 0,
    maximum: 65_535,
  }),
  HOST: settings.HOST,
  ENVIRONMENT: settings.ENVIRONMENT,
  LOG_LEVEL: settings.LOG_LEVEL,
  SENTRY_DSN: settings.SENTRY_DSN,
  EARSHOT_SHUTDOWN_GRACE_SECONDS: settings.EARSHOT_SHUTDOWN_GRACE_SECONDS,
  EARSHOT_DRAIN_SECONDS: settings.EARSHOT_DRAIN_SECONDS,
});

/** The engines of EARSHOT_ENGINES; the first is the default. */
export const parseEngines = (value: string): string[] => [...new Set(value.split(','))];

/**
 * Settings of the topology from the environment's and the account's `max_file` (undefined where the account shows
 * none). Throws when neither gives a budget.
 */
export function topologySettingsFrom(
  config: TopologyConfig,
  accountBytes: number | undefined,
): TopologySettings {
  const storeBytes = config.EARSHOT_NATS_STORE_BYTES ?? accountBytes;
  if (storeBytes === undefined) {
    throw new Error(
      'set EARSHOT_NATS_STORE_BYTES: the NATS account has no max_file, so budgets cannot be computed',
    );
  }
  return {
    engines: parseEngines(config.EARSHOT_ENGINES),
    ackWaitSeconds: config.EARSHOT_ACK_WAIT_SECONDS,
    maxAckPending: parseMaxAckPending(config.EARSHOT_MAX_ACK_PENDING),
    storeBytes,
    factsDays: config.EARSHOT_FACTS_DAYS,
    replicas: config.EARSHOT_NATS_REPLICAS,
  };
}
