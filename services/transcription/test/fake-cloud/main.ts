// The transcription service with the vendor's engines beside its own:
// main.ts <address of the vendor> [<milliseconds>] [<times>] [<address> <folder>]. Settings are those of the service; EARSHOT_ENGINES names
// engines of `engines.ts`, which need no speech model. All their chunks are so many milliseconds long, if given; `times` is
// a JSON object of `PaidTimes`, in place of those that fit a real vendor.
// With the address of a Speech-to-Text of this machine there is the engine `google`; the folder is its staging bucket.
import '../../src/telemetry.ts';
import { configOrExit, createLogger, runService } from '@earshot/service-kit';
import { modelIn, readConfig } from '../../src/config.ts';
import { engineTable } from '../../src/engines.ts';
import type { PaidTimes } from '../../src/paid/paid-times.ts';
import { serveTranscription } from '../../src/serve-transcription.ts';
import { cloudEngines } from './engines.ts';
import { localGoogle } from './local-google.ts';

const [url = '', chunkMs, times = '{}', speech, staging = ''] = process.argv.slice(2);
const paidTimes = JSON.parse(times) as Partial<PaidTimes>;
const cloud = { ...cloudEngines(url), ...(speech ? localGoogle(speech, staging) : {}) };
const engines = { ...engineTable, ...cloud };
const config = configOrExit(() => readConfig(undefined, { engines }));
const log = createLogger({ service: 'transcription', level: config.LOG_LEVEL });
const parts = {
  ffmpeg: config.EARSHOT_FFMPEG_BIN ?? 'ffmpeg',
  model: config.EARSHOT_MODEL_DIR === undefined ? undefined : modelIn(config.EARSHOT_MODEL_DIR),
};
const exactly = { minMs: Number(chunkMs), maxMs: Number(chunkMs) };
const lengths = (engine: string) => (chunkMs && engine in cloud ? exactly : undefined);
await runService({
  log,
  graceMs: config.EARSHOT_SHUTDOWN_GRACE_SECONDS * 1000,
  start: () => serveTranscription({ config, log, parts, lengths, paidTimes, engines }),
});
