// First, so that what it watches is loaded after it.
import './telemetry.ts';
import { configOrExit, createLogger, runService } from '@earshot/service-kit';
import { modelIn, readProcessConfig, type TranscriptionConfig } from './config.ts';
import { serveTranscription } from './serve-transcription.ts';

const config = configOrExit(readProcessConfig);
const log = createLogger({ service: 'transcription', level: config.LOG_LEVEL });
await runService({
  log,
  graceMs: config.EARSHOT_SHUTDOWN_GRACE_SECONDS * 1000,
  errors: { dsn: config.SENTRY_DSN, service: 'transcription', environment: config.ENVIRONMENT },
  start: async () => serveTranscription({ config, log, parts: partsOf(config) }),
});

function partsOf({ EARSHOT_FFMPEG_BIN, EARSHOT_MODEL_DIR }: TranscriptionConfig) {
  const model = EARSHOT_MODEL_DIR === undefined ? undefined : modelIn(EARSHOT_MODEL_DIR);
  return { ffmpeg: EARSHOT_FFMPEG_BIN ?? 'ffmpeg', model };
}
