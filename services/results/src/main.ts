// First, so that what it watches is loaded after it.
import './telemetry.ts';
import { apiTags, DEFAULT_TENANT, httpErrors } from '@earshot/contracts';
import { listWorkers, openBroker, roundTrip } from '@earshot/messaging';
import {
  configOrExit,
  createLogger,
  doorOf,
  drain,
  openMetrics,
  type RunningService,
  reportProcess,
  runService,
  startHttp,
} from '@earshot/service-kit';
import { openStorage, openTenantBuckets } from '@earshot/storage-url';
import { readConfig } from './config.ts';
import { startResults, topologyDuty } from './service.ts';

const config = configOrExit(() => readConfig());
const log = createLogger({ service: 'results', level: config.LOG_LEVEL });
await runService({
  log,
  graceMs: config.EARSHOT_SHUTDOWN_GRACE_SECONDS * 1000,
  errors: { dsn: config.SENTRY_DSN, service: 'results', environment: config.ENVIRONMENT },
  start,
});

async function start(): Promise<RunningService> {
  const authenticate = doorOf({
    host: config.HOST,
    keysFile: config.EARSHOT_API_KEYS_FILE,
    tenant: DEFAULT_TENANT,
    log,
  });
  const storage = await openStorage(config);
  const buckets = await openTenantBuckets(config, log);
  const topology = await topologyDuty(config, log);
  const broker = await openBroker({ config, name: 'earshot-results', log, topology });
  const metrics = await openMetrics({ service: 'results', log });
  reportProcess(metrics);
  const results = startResults({ config, broker, storage, buckets, log, metrics });
  let draining = false;
  const http = await startHttp({
    ...httpErrors,
    title: 'Earshot results',
    version: '1',
    tags: apiTags,
    logger: log,
    authenticate,
    port: config.PORT,
    host: config.HOST,
    routes: [results.routes],
    metrics,
    health: {
      state: () => (draining ? 'draining' : 'ready'),
      checks: {
        nats: async () => void (await broker.ping()),
        storage: () => storage.ping(),
        ...results.checks,
      },
      roundTrip: () => roundTrip(broker),
      workers: () => listWorkers(broker),
    },
  });
  const drainMs = config.EARSHOT_DRAIN_SECONDS * 1000;
  log.info({ url: http.url }, 'results ready');
  return {
    failed: broker.closed.then((error) => error ?? new Error('the NATS connection was closed')),
    close: async (graceMs) => {
      draining = true;
      await drain({ http, graceMs, drainMs, stop: () => results.stop() });
      await results.close(graceMs);
      await metrics.close();
      await broker.drain();
      await buckets.close();
      await storage.close();
    },
  };
}
