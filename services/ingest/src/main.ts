import { fileURLToPath } from 'node:url';
import { DEFAULT_TENANT, toProblem, topology, topologySettingsFrom } from '@earshot/contracts';
import { CodedError } from '@earshot/domain';
import { accountStoreBytes, type Broker, connectBroker, verifyTopology } from '@earshot/messaging';
import {
  type Authenticate,
  configOrExit,
  createHttpServer,
  createLogger,
  isLoopback,
  keyedDoor,
  openDoor,
  type RunningService,
  registerHealth,
  runService,
} from '@earshot/service-kit';
import { openFileStorage } from '@earshot/storage-file';
import { type IngestConfig, readConfig } from './config.ts';
import { startIngest } from './service.ts';

const config = configOrExit(() => readConfig());
const log = createLogger({ service: 'ingest', level: config.LOG_LEVEL });
await runService({ log, graceMs: config.EARSHOT_SHUTDOWN_GRACE_SECONDS * 1000, start });

async function start(): Promise<RunningService> {
  const authenticate = doorOf(config);
  const storage = await openFileStorage({ root: fileURLToPath(config.EARSHOT_STORAGE_URL) });
  const broker = await connectBroker({
    servers: (config.NATS_URL ?? 'nats://127.0.0.1:4222').split(','),
    auth: authOf(config),
    name: 'earshot-ingest',
    log,
  });
  await refuseDrift(broker);
  const ingest = startIngest({ config, broker, storage, log });
  const server = await createHttpServer({
    title: 'Earshot ingest',
    version: '1',
    logger: log,
    authenticate,
    describeError: toProblem,
    codedError: (code, detail, errors = []) => new CodedError(code, detail, { errors }),
  });
  await server.register(ingest.routes);
  registerHealth(server, {
    state: () => (ingest.ready() ? 'ready' : 'draining'),
    checks: {
      nats: async () => void (await broker.ping()),
      storage: async () => void (await storage.stat('health')),
    },
    roundTrip: async () => void (await accountStoreBytes(broker)),
  });
  await server.listen({ port: config.PORT, host: config.HOST });
  return {
    failed: broker.closed.then((error) => error ?? new Error('the NATS connection was closed')),
    close: async (graceMs) => {
      await ingest.close(graceMs);
      await server.close();
      await broker.drain();
      await storage.close();
    },
  };
}

async function refuseDrift(broker: Broker): Promise<void> {
  const wanted = topology(topologySettingsFrom(config, await accountStoreBytes(broker)));
  const drift = await verifyTopology(broker, wanted);
  if (drift.length > 0) throw new Error(`run "earshot topology apply" first: ${drift.join('; ')}`);
}

function doorOf({ HOST, EARSHOT_API_KEYS_FILE }: IngestConfig): Authenticate {
  if (EARSHOT_API_KEYS_FILE) return keyedDoor(EARSHOT_API_KEYS_FILE);
  if (isLoopback(HOST)) return openDoor(DEFAULT_TENANT);
  throw new Error(`set EARSHOT_API_KEYS_FILE: ${HOST} can be reached from other machines`);
}

const authOf = (from: IngestConfig) => ({
  creds: from.NATS_CREDS,
  token: from.NATS_TOKEN,
  user: from.NATS_USER,
  password: from.NATS_PASSWORD,
  ...(from.NATS_TLS_CA || from.NATS_TLS_CERT
    ? { tls: { ca: from.NATS_TLS_CA, cert: from.NATS_TLS_CERT, key: from.NATS_TLS_KEY } }
    : {}),
});
