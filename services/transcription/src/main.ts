import { fileURLToPath } from 'node:url';
import { DEFAULT_TENANT, toProblem, topology, topologySettingsFrom } from '@earshot/contracts';
import { CodedError } from '@earshot/domain';
import { accountStoreBytes, type Broker, connectBroker, verifyTopology } from '@earshot/messaging';
import {
  configOrExit,
  createHttpServer,
  createLogger,
  openDoor,
  type RunningService,
  registerHealth,
  runService,
} from '@earshot/service-kit';
import { openFileStorage } from '@earshot/storage-file';
import { modelIn, readConfig, type TranscriptionConfig } from './config.ts';
import { startTranscription, type Transcription } from './service.ts';

const config = configOrExit(() => readConfig());
const log = createLogger({ service: 'transcription', level: config.LOG_LEVEL });
await runService({ log, graceMs: config.EARSHOT_SHUTDOWN_GRACE_SECONDS * 1000, start });

async function start(): Promise<RunningService> {
  const storage = await openFileStorage({ root: fileURLToPath(config.EARSHOT_STORAGE_URL) });
  const broker = await connectBroker({
    servers: config.NATS_URL.split(','),
    auth: authOf(config),
    name: 'earshot-transcription',
    log,
  });
  let transcription: Transcription | undefined;
  // Listening from the start: a model that loads for long is `starting`, not dead.
  const server = await startHealth(broker, () => state(transcription));
  await refuseDrift(broker);
  const parts = { ffmpeg: config.EARSHOT_FFMPEG_BIN ?? 'ffmpeg', model: modelIn(modelFolder(config)) };
  transcription = await startTranscription({ config, broker, storage, parts, log });
  const running = transcription;
  return {
    failed: broker.closed.then((error) => error ?? new Error('the NATS connection was closed')),
    close: async (graceMs) => {
      await running.close(graceMs);
      await server.close();
      await broker.drain();
      await storage.close();
    },
  };
}

async function startHealth(broker: Broker, state: () => 'starting' | 'ready' | 'draining') {
  const server = await createHttpServer({
    title: 'Earshot transcription',
    version: '1',
    logger: log,
    authenticate: openDoor(DEFAULT_TENANT),
    describeError: toProblem,
    codedError: (code, detail, errors = []) => new CodedError(code, detail, { errors }),
  });
  registerHealth(server, {
    state,
    checks: { nats: async () => void (await broker.ping()) },
    roundTrip: async () => void (await accountStoreBytes(broker)),
  });
  await server.listen({ port: config.PORT, host: config.HOST });
  return server;
}

function state(transcription: Transcription | undefined) {
  if (!transcription) return 'starting';
  return transcription.ready() ? 'ready' : 'draining';
}

async function refuseDrift(broker: Broker): Promise<void> {
  const wanted = topology(topologySettingsFrom(config, await accountStoreBytes(broker)));
  const drift = await verifyTopology(broker, wanted);
  if (drift.length > 0) throw new Error(`run "earshot topology apply" first: ${drift.join('; ')}`);
}

function modelFolder({ EARSHOT_MODEL_DIR }: TranscriptionConfig): string {
  if (EARSHOT_MODEL_DIR) return EARSHOT_MODEL_DIR;
  throw new Error('set EARSHOT_MODEL_DIR to the folder with the speech model');
}

const authOf = (from: TranscriptionConfig) => ({
  creds: from.NATS_CREDS,
  token: from.NATS_TOKEN,
  user: from.NATS_USER,
  password: from.NATS_PASSWORD,
  ...(from.NATS_TLS_CA || from.NATS_TLS_CERT
    ? { tls: { ca: from.NATS_TLS_CA, cert: from.NATS_TLS_CERT, key: from.NATS_TLS_KEY } }
    : {}),
});
