import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import {
  embeddedOptionsFromEnv,
  linkSpeechModel,
  resolveFfmpeg,
  resolveSpeechModel,
  type SharedServers,
  startOrJoinServers,
} from '@earshot/embedded';
import { tempFolder } from '@earshot/testkit';
import { type EarshotProcess, runSource } from './earshot-process.ts';

/** What an operator prepares before the services start: servers, a store for recordings, a model. */
export interface Installation {
  readonly folder: string;
  /** Embedded servers; a test may bring others. */
  readonly servers: SharedServers;
  /** A recording of 10 s. */
  readonly sample: string;
  /** Starts a service from its source with the settings that all need, and these. */
  start(file: string, env: Record<string, string>): EarshotProcess;
  /** Interrupts all that was started, then the servers, and deletes everything. */
  dispose(): Promise<void>;
}

/** Prepares an installation in a folder of its own. */
export async function prepareInstallation(): Promise<Installation> {
  const options = embeddedOptionsFromEnv(process.env);
  const folder = await tempFolder();
  const servers = await startOrJoinServers({ home: join(folder.path, 'home'), options });
  const [ffmpeg, model] = await Promise.all([resolveFfmpeg(options), resolveSpeechModel(options)]);
  const parts = await linkSpeechModel(model, join(folder.path, 'model'));
  const common = {
    EARSHOT_STORAGE_URL: pathToFileURL(join(folder.path, 'storage')).href,
    EARSHOT_FFMPEG_BIN: ffmpeg.path,
    EARSHOT_MODEL_DIR: parts,
    WORKER_CONCURRENCY: '1',
    PORT: '0',
  };
  const processes: EarshotProcess[] = [];
  return {
    folder: folder.path,
    servers,
    sample: model.samples.find((path) => path.endsWith('beckett.wav')) ?? '',
    start: (file, env) => {
      const started = runSource(file, { ...common, ...env });
      processes.push(started);
      return started;
    },
    dispose: async () => {
      await Promise.all(processes.map((started) => started.interrupt()));
      await servers.leave();
      await folder.remove();
    },
  };
}

/** The address of a service, once it listens. */
export const urlOf = async (service: EarshotProcess): Promise<string> =>
  (await service.printed(/Server listening at (http[^"]+)"/))[1] ?? '';
