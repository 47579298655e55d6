import { mkdir } from 'node:fs/promises';
import { resolve } from 'node:path';
import { apiTags, DEFAULT_TENANT, httpErrors, parseEngines } from '@earshot/contracts';
import {
  claimService,
  type EmbeddedOptions,
  resolveFfmpeg,
  resolveSpeechModel,
  type SharedServers,
  startOrJoinServers,
} from '@earshot/embedded';
import { readConfig as readIngestConfig, startIngest } from '@earshot/ingest';
import { type Broker, listWorkers, openBroker, roundTrip } from '@earshot/messaging';
import { migrate, readConfig as readResultsConfig, startResults } from '@earshot/results';
import {
  doorOf,
  drain,
  type Logger,
  openMetrics,
  type RunningService,
  reportProcess,
  startHttp,
} from '@earshot/service-kit';
import { openStorage } from '@earshot/storage-url';
import {
  needModel,
  openPlaces,
  readConfig as readTranscriptionConfig,
  startTranscription,
} from '@earshot/transcription';
import { type CombinedConfig, type Environment, serviceEnvironment } from './config.ts';

/** Everything at work in this process. */
export interface RunningCombined extends RunningService {
  readonly url: string;
  readonly natsUrl: string;
  /** Recordings that come with the local model, for trying it out; none where no engine needs that. */
  readonly samples: readonly string[];
}

export interface CombinedOptions {
  readonly config: CombinedConfig;
  readonly env: Environment;
  readonly embedded: EmbeddedOptions;
  readonly log: Logger;
}

/** What has to be undone when a later step of the start fails, newest first. */
class Undo {
  readonly #steps: (() => Promise<unknown>)[] = [];

  add(step: () => Promise<unknown>): void {
    this.#steps.unshift(step);
  }

  /** Runs every step, also after one that throws; the first error is thrown at the end. */
  async run(): Promise<void> {
    const errors: unknown[] = [];
    for (const step of this.#steps.splice(0)) await step().catch((error: unknown) => errors.push(error));
    if (errors.length > 0) throw errors[0];
  }
}

function startServers({ config, embedded, log }: CombinedOptions): Promise<SharedServers> {
  return startOrJoinServers({
    home: config.EARSHOT_HOME,
    options: embedded,
    log: (line) => log.debug(line),
    ...(config.NATS_URL ? { natsUrl: config.NATS_URL } : {}),
    ...(config.DATABASE_URL ? { databaseUrl: config.DATABASE_URL } : {}),
  });
}

const failureOf = (servers: SharedServers, broker: Broker): Promise<Error> =>
  Promise.race([
    servers.exited.then(({ name, code }) => new Error(`${name} ended by itself with exit code ${code}`)),
    broker.closed.then((error) => error ?? new Error('the NATS connection was closed')),
  ]);

/**
 * Starts all services in this process: NATS and PostgreSQL below EARSHOT_HOME unless addresses are given, then topology
 * and migrations, then the services on one port. Throws ServiceRunningError when another process has this home.
 */
export async function startCombined(options: CombinedOptions): Promise<RunningCombined> {
  const undo = new Undo();
  try {
    return await start(options, undo);
  } catch (error) {
    await undo
      .run()
      .catch((later: unknown) => options.log.error({ err: later }, 'clean-up after a failed start'));
    throw error;
  }
}

async function start(options: CombinedOptions, undo: Undo): Promise<RunningCombined> {
  const { config, log } = options;
  const home = resolve(config.EARSHOT_HOME);
  const authenticate = doorOf({
    host: config.HOST,
    keysFile: config.EARSHOT_API_KEYS_FILE,
    tenant: DEFAULT_TENANT,
    log,
  });
  await mkdir(home, { recursive: true });
  const claim = await claimService({ home, name: 'combined' });
  undo.add(() => claim.release());
  const starting = startServers(options);
  undo.add(async () => (await starting.catch(() => undefined))?.leave());
  const [servers, ffmpeg, model] = await Promise.all([
    starting,
    resolveFfmpeg(options.embedded),
    needModel(parseEngines(config.EARSHOT_ENGINES)) ? resolveSpeechModel(options.embedded) : undefined,
  ]);
  const env = serviceEnvironment(config, servers, options.env);
  const ingestConfig = readIngestConfig(env);
  const resultsConfig = readResultsConfig(env);
  const transcriptionConfig = readTranscriptionConfig(env);
  const storage = await openStorage(ingestConfig);
  undo.add(() => storage.close());
  const places = await openPlaces(transcriptionConfig, log);
  undo.add(() => places.close());
  const { buckets, staging } = places;
  const [broker] = await Promise.all([
    openBroker({ config: ingestConfig, name: 'earshot-combined', log, topology: 'apply' }),
    migrate(servers.databaseUrl, log),
  ]);
  undo.add(() => broker.drain());
  let graceMs = config.EARSHOT_SHUTDOWN_GRACE_SECONDS * 1000;
  const metrics = await openMetrics({ service: 'combined', log });
  undo.add(() => metrics.close());
  const results = startResults({ config: resultsConfig, broker, storage, buckets, log, metrics });
  undo.add(() => results.close(graceMs));
  const ingest = startIngest({ config: ingestConfig, broker, storage, buckets, log, metrics });
  undo.add(() => ingest.close(graceMs));
  const parts = { ffmpeg: ffmpeg.path, model };
  // Warming the engine takes longer than all the rest: recordings are accepted meanwhile, and wait for it.
  const warming = startTranscription({
    ...{ config: transcriptionConfig, broker, storage, buckets, staging, parts, log, metrics },
  });
  undo.add(async () => (await warming.catch(() => undefined))?.close(graceMs));
  let state: 'starting' | 'ready' | 'draining' = 'starting';
  let childBytes = () => 0;
  reportProcess(metrics, () => childBytes());
  const engineFailure = new Promise<Error>((resolve) => {
    warming.then((transcription) => {
      childBytes = () => transcription.childMemoryBytes();
      if (state === 'starting') state = 'ready';
    }, resolve);
  });
  const http = await startHttp({
    ...httpErrors,
    title: 'Earshot',
    version: '1',
    tags: apiTags,
    logger: log,
    authenticate,
    port: config.PORT,
    host: config.HOST,
    routes: [ingest.routes, results.routes],
    metrics,
    health: {
      state: () => state,
      checks: {
        nats: async () => void (await broker.ping()),
        storage: () => storage.ping(),
        ...results.checks,
      },
      roundTrip: () => roundTrip(broker),
      workers: () => listWorkers(broker),
    },
  });
  undo.add(() => http.close());
  await claim.announce(http.url);
  return {
    url: http.url,
    natsUrl: servers.natsUrl,
    samples: model?.samples ?? [],
    failed: Promise.race([failureOf(servers, broker), engineFailure]),
    close: async (grace) => {
      state = 'draining';
      graceMs = grace;
      const stop = () =>
        Promise.all([
          warming.then((transcription) => transcription.close(grace)),
          ingest.close(grace),
          results.stop(),
        ]);
      const drainMs = config.EARSHOT_DRAIN_SECONDS * 1000;
      // What fails here fails again below, where every other step is done all the same.
      await drain({ http, graceMs: grace, drainMs, stop }).catch(() => undefined);
      await undo.run();
    },
  };
}
