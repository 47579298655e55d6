// The transcription service with the vendor's engines instead of its own: main.ts <address of the vendor>.
// Settings are those of the service; EARSHOT_ENGINES names engines of `engines.ts`. It needs no speech model.
import { configOrExit, createLogger, runService } from '@earshot/service-kit';
import { modelIn, readConfig } from '../../src/config.ts';
import { serveTranscription } from '../../src/serve-transcription.ts';
import { cloudEngines } from './engines.ts';

const [url = ''] = process.argv.slice(2);
const config = configOrExit(() => readConfig());
const log = createLogger({ service: 'transcription', level: config.LOG_LEVEL });
const parts = { ffmpeg: config.EARSHOT_FFMPEG_BIN ?? 'ffmpeg', model: modelIn('unused') };
await runService({
  log,
  graceMs: config.EARSHOT_SHUTDOWN_GRACE_SECONDS * 1000,
  start: () => serveTranscription({ config, log, parts, engines: cloudEngines(url) }),
});
