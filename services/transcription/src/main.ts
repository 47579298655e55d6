import { configOrExit, createLogger, runService } from '@earshot/service-kit';
import { modelIn, readConfig, type TranscriptionConfig } from './config.ts';
import { serveTranscription } from './serve-transcription.ts';

const config = configOrExit(() => readConfig());
const log = createLogger({ service: 'transcription', level: config.LOG_LEVEL });
await runService({
  log,
  graceMs: config.EARSHOT_SHUTDOWN_GRACE_SECONDS * 1000,
  start: async () => serveTranscription({ config, log, parts: partsOf(config) }),
});

function partsOf({ EARSHOT_FFMPEG_BIN, EARSHOT_MODEL_DIR }: TranscriptionConfig) {
  if (!EARSHOT_MODEL_DIR) throw new Error('set EARSHOT_MODEL_DIR to the folder with the speech model');
  return { ffmpeg: EARSHOT_FFMPEG_BIN ?? 'ffmpeg', model: modelIn(EARSHOT_MODEL_DIR) };
}
