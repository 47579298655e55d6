import { DEFAULT_TENANT, httpErrors } from '@earshot/contracts';
import { listWorkers, openBroker, roundTrip } from '@earshot/messaging';
import {
  drain,
  type Logger,
  openDoor,
  openMetrics,
  type RunningService,
  reportProcess,
  startHttp,
} from '@earshot/service-kit';
import { openStorage } from '@earshot/storage-url';
import type { TranscriptionConfig } from './config.ts';
import { idleFor } from './idle-for.ts';
import { openPlaces } from './open-places.ts';
import { startTranscription, type Transcription, type TranscriptionOptions } from './service.ts';

/** What the process is made of, beside what `startTranscription` takes. */
export interface ServeOptions
  extends Pick<TranscriptionOptions, 'parts' | 'engines' | 'lengths' | 'paidTimes'> {
  readonly config: TranscriptionConfig;
  readonly log: Logger;
}

/** Transcription as a process of its own: connections, health and the engines, in the order they are freed again. */
export async function serveTranscription(options: ServeOptions): Promise<RunningService> {
  const { config, log } = options;
  const storage = await openStorage(config);
  const places = await openPlaces(config, log);
  const broker = await openBroker({ config, name: 'earshot-transcription', log });
  const metrics = await openMetrics({ service: 'transcription', log });
  let transcription: Transcription | undefined;
  reportProcess(metrics, () => transcription?.childMemoryBytes() ?? 0);
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
    metrics,
    health: {
      state: () => state(transcription),
      checks: { nats: async () => void (await broker.ping()), storage: () => storage.ping() },
      roundTrip: () => roundTrip(broker),
      workers: () => listWorkers(broker),
    },
  });
  const running = await startTranscription({
    ...{ ...options, broker, storage, metrics },
    ...{ buckets: places.buckets, staging: places.staging },
  });
  transcription = running;
  const idle = idleFor(config.EARSHOT_EXIT_WHEN_IDLE_SECONDS, running, log);
  return {
    failed: broker.closed.then((error) => error ?? new Error('the NATS connection was closed')),
    done: idle.reached,
    close: async (graceMs) => {
      idle.stop();
      const drainMs = config.EARSHOT_DRAIN_SECONDS * 1000;
      await drain({ http, graceMs, drainMs, stop: () => running.close(graceMs) });
      await metrics.close();
      await broker.drain();
      await Promise.all([storage.close(), places.close()]);
    },
  };
}

function state(transcription: Transcription | undefined) {
  if (!transcription) return 'starting';
  return transcription.ready() ? 'ready' : 'draining';
}
