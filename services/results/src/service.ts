import {
  type BudgetConfig,
  budgetsFrom,
  jobLanes,
  parseEngines,
  parseMaxAckPending,
  type ScalingConfig,
  STREAMS,
  type TopologyConfig,
  topology,
  topologySettingsFrom,
} from '@earshot/contracts';
import { accountStoreBytes, type Broker, purge, readQueue, startFactLoop } from '@earshot/messaging';
import type { Logger, Metrics } from '@earshot/service-kit';
import { noTenantBuckets, type ObjectStorage, type TenantBuckets } from '@earshot/storage';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { recoverRecordings } from './actions/recover.ts';
import type { ResultsConfig } from './config.ts';
import { factHandler } from './facts/handle-facts.ts';
import { keepRoom } from './keep-room.ts';
import { keepLevers } from './levers/keep-levers.ts';
import { Levers } from './levers/levers.ts';
import { countFinal } from './queue/count-final.ts';
import { keepFigures } from './queue/keep-figures.ts';
import { logQueueLength } from './queue/log-queue-length.ts';
import { reportQueue } from './queue/report-queue.ts';
import { startReconciler } from './reconcile/reconciler.ts';
import { hadStreams } from './reconcile/watch-streams.ts';
import { startOutboxRelay } from './relay/outbox-relay.ts';
import { startReplayRelay } from './relay/replay-relay.ts';
import { laneRoutes } from './routes/lanes.ts';
import { queueRoute } from './routes/queue.ts';
import { rebuildRoute } from './routes/rebuild.ts';
import { resultsRoutes } from './routes/routes.ts';
import { traceUrlFrom } from './routes/trace-url.ts';
import { workerRoutes } from './routes/workers.ts';
import { thresholdsOf } from './scaling/thresholds.ts';
import { keepSpend } from './spend/keep-spend.ts';
import { reportSpend } from './spend/report-spend.ts';
import { addressOf } from './store/address.ts';
import { openDatabase } from './store/database.ts';
import { countBilled } from './usage/count-billed.ts';
import { watchWaits } from './waits/watch-waits.ts';

export { type ResultsConfig, readConfig } from './config.ts';
export { addressOf, addressProblems } from './store/address.ts';
export { migrate } from './store/migrate.ts';

/** What results needs from the process it runs in; the broker and the storage stay the caller's to close. */
export interface ResultsOptions {
  readonly config: Pick<
    ResultsConfig,
    'DATABASE_URL' | 'DATABASE_URL_FILE' | 'EARSHOT_DATABASE_POOL_SIZE' | 'EARSHOT_TRACE_URL_TEMPLATE'
  > &
    TopologyConfig &
    ScalingConfig &
    BudgetConfig;
  readonly broker: Broker;
  readonly storage: ObjectStorage;
  /** The buckets of tenants; the caller closes them. Default: none. */
  readonly buckets?: TenantBuckets | undefined;
  readonly log: Logger;
  /** Where it tells of queues and transcripts. Default: nowhere. */
  readonly metrics?: Metrics | undefined;
}

/** Results at work. */
export interface Results {
  /** The HTTP routes, for a server that sets `request.principal`. */
  readonly routes: FastifyPluginAsyncTypebox;
  /** What `/readyz` shows: each rejects while its dependency is in trouble. */
  readonly checks: Readonly<Record<'database', () => Promise<void>>>;
  /** Stores the batch in work and takes no more facts; the routes go on answering. Idempotent, and part of `close`. */
  stop(): Promise<void>;
  /** Stores the batch in work, publishes its final facts, and frees everything within `graceMs`. Idempotent. */
  close(graceMs: number): Promise<void>;
}

/**
 * Starts to keep facts and to publish final states. The schema must be there ({@link migrate}); a database that is not
 * reachable now or later is waited for, with no fact lost.
 */
export function startResults(options: ResultsOptions): Results {
  const { broker, storage, buckets = noTenantBuckets, log, config, metrics } = options;
  const { EARSHOT_DATABASE_POOL_SIZE: poolSize } = config;
  const database = openDatabase({ url: addressOf(config), poolSize, log });
  const { publisher, facts, jobs, engines } = broker;
  const relay = startOutboxRelay({ database, storage, publisher, log });
  const replays = startReplayRelay({
    ...{ database, publisher, jobs, log },
    removeFacts: async (subject, upTo) =>
      void (await purge(broker, { stream: STREAMS.transcripts, subject, before: upTo + 1 })),
  });
  const onFinal = metrics ? countFinal(metrics, relay.take) : relay.take;
  const onBilled = metrics && countBilled(metrics, parseEngines(config.EARSHOT_ENGINES));
  const handle = factHandler({ database, storage, log, onFinal, onBilled });
  const loop = startFactLoop({ broker, handle, log });
  const room = keepRoom(broker, log);
  const lanes = lanesOf(config);
  const keeper = keepLevers({ database, broker, lanes, log });
  const budgets = budgetsFrom(config);
  const budgeted = [...budgets.keys()];
  const spend = budgeted.length > 0 ? keepSpend({ database, broker, engines: budgeted, log }) : undefined;
  const figures = keepFigures({ database, broker, lanes, log });
  const queueLog = logQueueLength({ read: () => readQueue(broker), log });
  const { EARSHOT_NATS_STORE_BYTES: storeBytes, EARSHOT_MIN_WORKERS: minWorkers } = config;
  const reports = metrics
    ? [
        reportSpend({ metrics, broker, budgets, log }),
        reportQueue({ metrics, broker, lanes, figures, storeBytes, minWorkers, log }),
      ]
    : [];
  const deps = {
    ...{ database, storage, buckets, facts, engines, publisher, log, onFinal, onReplay: replays.take },
    traceUrl: traceUrlFrom(config.EARSHOT_TRACE_URL_TEMPLATE),
    waits: watchWaits({ database, broker, budgeted, log }),
    defaultEngine: parseEngines(config.EARSHOT_ENGINES)[0] ?? '',
  };
  const reconciler = startReconciler({
    ...deps,
    broker,
    wanted: async () => topology(topologySettingsFrom(config, await accountStoreBytes(broker))),
    recover: async (goOn) => void (await recoverRecordings(deps, goOn)),
  });
  const steadyMs = config.EARSHOT_SCALE_STEADY_SECONDS * 1000;
  const scaling = { thresholds: thresholdsOf(config), steadyMs };
  let closing: Promise<void> | undefined;
  let stopping: Promise<unknown> | undefined;
  const stop = async () => {
    room.stop();
    stopping ??= Promise.all([
      loop.stop(),
      keeper.stop(),
      spend?.stop(),
      figures.stop(),
      ...reports.map((report) => report.stop()),
      queueLog.stop(),
      reconciler.close(),
    ]);
    await stopping;
  };
  const close = async (graceMs: number) => {
    await stop();
    await Promise.all([relay.close(graceMs), replays.close(graceMs)]);
    await database.close();
  };
  return {
    routes: async (server) => {
      await server.register(resultsRoutes(deps));
      await server.register(laneRoutes({ levers: new Levers({ database, broker, lanes }) }));
      await server.register(workerRoutes({ broker }));
      await server.register(queueRoute({ ...scaling, database, broker, lanes, figures, waits: deps.waits }));
      await server.register(rebuildRoute({ ...deps, broker }));
    },
    checks: { database: () => database.read(async (tx) => void (await tx.query('SELECT 1'))) },
    stop,
    close: (graceMs) => {
      closing ??= close(graceMs);
      return closing;
    },
  };
}

/**
 * How results deals with streams at its start: an installation that had them before lost them, and gets them back; in a
 * new one it is the init step that makes them. `verify` while the database cannot tell.
 */
export async function topologyDuty(
  config: Pick<ResultsConfig, 'DATABASE_URL' | 'DATABASE_URL_FILE'>,
  log: Logger,
): Promise<'restore' | 'verify'> {
  const database = openDatabase({ url: addressOf(config), log, poolSize: 1 });
  try {
    return (await hadStreams(database)) ? 'restore' : 'verify';
  } catch (err) {
    log.warn({ err }, 'cannot tell whether this installation had its streams before');
    return 'verify';
  } finally {
    await database.close();
  }
}

const lanesOf = (config: ResultsOptions['config']) =>
  jobLanes({
    engines: parseEngines(config.EARSHOT_ENGINES),
    maxAckPending: parseMaxAckPending(config.EARSHOT_MAX_ACK_PENDING),
  });
