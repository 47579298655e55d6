import { fileURLToPath } from 'node:url';
import { DEFAULT_TENANT, httpErrors } from '@earshot/contracts';
import { accountStoreBytes, openBroker } from '@earshot/messaging';
import {
  configOrExit,
  createLogger,
  openDoor,
  type RunningService,
  runService,
  startHttp,
} from '@earshot/service-kit';
import { openFileStorage } from '@earshot/storage-file';
import { modelIn, readConfig, type TranscriptionConfig } from './config.ts';
import { startTranscription, type Transcription } from './service.ts';

const config = configOrExit(() => readConfig());
const log = createLogger({ service: 'transcription', level: config.LOG_LEVEL });
await runService({ log, graceMs: config.EARSHOT_SHUTDOWN_GRACE_SECONDS * 1000, start });

async function start(): Promise<RunningService> {
  const parts = { ffmpeg: config.EARSHOT_FFMPEG_BIN ?? 'ffmpeg', model: modelIn(modelFolder(config)) };
  const storage = await openFileStorage({ root: fileURLToPath(config.EARSHOT_STORAGE_URL) });
  const broker = await openBroker({ config, name: 'earshot-transcription', log });
  let transcription: Transcription | undefined;
  // Listening from the start: a model that loads for long is `starting`, not dead. There are no API routes to guard.
  const http = await startHttp({
    ...httpErrors,
    title: 'Earshot transcription',
    version: '1',
    logger: log,
    authenticate: openDoor(DEFAULT_TENANT),
    port: config.PORT,
    host: config.HOST,
    routes: [],
    health: {
      state: () => state(transcription),
      checks: { nats: async () => void (await broker.ping()), storage: () => storage.ping() },
      roundTrip: async () => void (await accountStoreBytes(broker)),
    },
  });
  const running = await startTranscription({ config, broker, storage, parts, log });
  transcription = running;
  return {
    failed: broker.closed.then((error) => error ?? new Error('the NATS connection was closed')),
    close: async (graceMs) => {
      await running.close(graceMs);
      await http.close();
      await broker.drain();
      await storage.close();
    },
  };
}

function state(transcription: Transcription | undefined) {
  if (!transcription) return 'starting';
  return transcription.ready() ? 'ready' : 'draining';
}

function modelFolder({ EARSHOT_MODEL_DIR }: TranscriptionConfig): string {
  if (EARSHOT_MODEL_DIR) return EARSHOT_MODEL_DIR;
  throw new Error('set EARSHOT_MODEL_DIR to the folder with the speech model');
}
