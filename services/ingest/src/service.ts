import { DURABLES, METRICS, parseEngines, STREAMS } from '@earshot/contracts';
import { type Broker, startEventLoop, storeUsage } from '@earshot/messaging';
import type { Logger, Metrics } from '@earshot/service-kit';
import { noTenantBuckets, type ObjectStorage, type TenantBuckets } from '@earshot/storage';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { IngestConfig } from './config.ts';
import { configuredEngines } from './engine-directory.ts';
import { giveUpUpload } from './give-up-upload.ts';
import { noCounts, type UploadCounts, uploadHandler } from './handle-upload.ts';
import { postRecording } from './post-recording.ts';
import { postPubsub } from './pubsub/post-pubsub.ts';
import type { PushDoor } from './pubsub/push-door.ts';
import { storeRoom } from './store-room.ts';
import { watchRoom } from './watch-room.ts';

export { type IngestConfig, readConfig } from './config.ts';

/** What ingest is started with; the caller closes broker and storage after it. */
export interface IngestOptions {
  readonly config: Pick<
    IngestConfig,
    | 'EARSHOT_ENGINES'
    | 'EARSHOT_FACTS_DAYS'
    | 'EARSHOT_ACK_WAIT_SECONDS'
    | 'EARSHOT_MAX_RECORDING_MB'
    | 'EARSHOT_NATS_STORE_BYTES'
    | 'EARSHOT_PUBSUB_AUDIENCE'
    | 'EARSHOT_PUBSUB_SERVICE_ACCOUNT'
  >;
  readonly broker: Broker;
  readonly storage: ObjectStorage;
  /** The buckets of tenants; the caller closes them. Default: none. */
  readonly buckets?: TenantBuckets | undefined;
  readonly log: Logger;
  /** Where the keys of Pub/Sub's tokens are. Default: Google's. */
  readonly pushKeys?: URL | undefined;
  /** Where it tells of upload events. Default: nowhere. */
  readonly metrics?: Metrics | undefined;
}

/** A running ingest. */
export interface Ingest {
  /** The HTTP routes, a Fastify plugin. */
  readonly routes: FastifyPluginAsyncTypebox;
  /** How upload events ended since the start. */
  readonly counts: Readonly<UploadCounts>;
  /** False once it is being closed. */
  ready(): boolean;
  /** Takes no more upload events, finishes those in work. Idempotent. The HTTP server is its owner's to close. */
  close(graceMs: number): Promise<void>;
}

/** Upload events in work at once: each waits for storage and the broker, not for the processor. */
const SLOTS = 32;

/** Starts to take upload events. */
export function startIngest(options: IngestOptions): Ingest {
  const { config, broker, storage, buckets = noTenantBuckets, log, metrics } = options;
  const counts = noCounts();
  metrics?.observe([METRICS.uploads], (observe) => {
    for (const [result, count] of Object.entries(counts)) observe(METRICS.uploads, count, { result });
  });
  const deps = {
    storage,
    buckets,
    log,
    counts,
    publisher: broker.publisher,
    facts: broker.facts,
    engines: configuredEngines(broker.engines, parseEngines(config.EARSHOT_ENGINES)),
    defaultEngine: parseEngines(config.EARSHOT_ENGINES)[0] ?? '',
    factsAgeMs: config.EARSHOT_FACTS_DAYS * 86_400_000,
  };
  const room = storeRoom(async () => (await storeUsage(broker, config.EARSHOT_NATS_STORE_BYTES)).budgets);
  const loop = startEventLoop({
    broker,
    stream: STREAMS.uploads,
    durable: DURABLES.ingest,
    slots: SLOTS,
    handle: uploadHandler(deps),
    gaveUp: (message, error) => {
      counts.gave_up += 1;
      const fact = giveUpUpload(message, error);
      log.warn({ subject: fact.subject, code: error.code, detail: error.message }, 'upload given up');
      return fact;
    },
    settings: { ackWaitMs: config.EARSHOT_ACK_WAIT_SECONDS * 1000 },
    log,
  });
  const watch = watchRoom(loop, room, log);
  let closing: Promise<void> | undefined;
  const door = pushDoorOf(options);
  const maxBytes = config.EARSHOT_MAX_RECORDING_MB * 1024 * 1024;
  return {
    routes: async (server) => {
      await server.register(postRecording({ ...deps, room, maxBytes }));
      if (door) await server.register(postPubsub({ ...deps, room, door }));
    },
    counts,
    ready: () => closing === undefined,
    close: (graceMs) => {
      watch.stop();
      closing ??= loop.stop({ graceMs });
      return closing;
    },
  };
}

/** Undefined where no pushes are taken. */
function pushDoorOf({ config, pushKeys }: IngestOptions): PushDoor | undefined {
  const { EARSHOT_PUBSUB_AUDIENCE: audience, EARSHOT_PUBSUB_SERVICE_ACCOUNT: serviceAccount } = config;
  return audience && serviceAccount ? { audience, serviceAccount, keys: pushKeys } : undefined;
}
