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
import { startIngest } from './service.ts';

const config = configOrExit(() => readConfig());
const log = createLogger({ service: 'ingest', level: config.LOG_LEVEL });
await runService({
  log,
  graceMs: config.EARSHOT_SHUTDOWN_GRACE_SECONDS * 1000,
  errors: { dsn: config.SENTRY_DSN, service: 'ingest', environment: config.ENVIRONMENT },
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
  const broker = await openBroker({ config, name: 'earshot-ingest', log });
  const metrics = await openMetrics({ service: 'ingest', log });
  reportProcess(metrics);
  const ingest = startIngest({ config, broker, storage, buckets, log, metrics });
  const http = await startHttp({
    ...httpErrors,
    title: 'Earshot ingest',
    version: '1',
    tags: apiTags,
    logger: log,
    authenticate,
    port: config.PORT,
    host: config.HOST,
    routes: [ingest.routes],
    metrics,
    health: {
      state: () => (ingest.ready() ? 'ready' : 'draining'),
      checks: {
        nats: async () => void (await broker.ping()),
        storage: () => storage.ping(),
      },
      roundTrip: () => roundTrip(broker),
      workers: () => listWorkers(broker),
    },
  });
  const drainMs = config.EARSHOT_DRAIN_SECONDS * 1000;
  log.info({ url: http.url }, 'ingest ready');
  return {
    failed: broker.closed.then((error) => error ?? new Error('the NATS connection was closed')),
    close: async (graceMs) => {
      await drain({ http, graceMs, drainMs, stop: () => ingest.close(graceMs) });
      await metrics.close();
      await broker.drain();
      await buckets.close();
      await storage.close();
    },
  };
}
