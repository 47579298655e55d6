import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import {
  embeddedOptionsFromEnv,
  linkSpeechModel,
  resolveFfmpeg,
  resolveSpeechModel,
} from '@earshot/embedded';
import { startTestBroker, tempFolder, testDatabase } from '@earshot/testkit';
import { programUsers, refusals } from '../program-users.ts';

/** What a platform gives to services, on this machine. */
export interface LocalServers {
  /** A value for each setting that names something of the platform, but the port of a process. */
  readonly settings: Readonly<Record<string, string>>;
  /** A key that may do everything. */
  readonly apiKey: string;
  /** A recording of a few words. */
  readonly sample: string;
  /** Fails when a service wanted more in NATS than it may. */
  close(): Promise<void>;
}

const PASSWORD = 'services';

/** Starts a nats-server with a user for each program and a PostgreSQL, and puts keys, ffmpeg and the model where services find them. */
export async function startLocalServers(): Promise<LocalServers> {
  const options = embeddedOptionsFromEnv(process.env);
  const [broker, database, folder, ffmpeg, model] = await Promise.all([
    startTestBroker(await programUsers(PASSWORD)),
    testDatabase(),
    tempFolder(),
    resolveFfmpeg(options),
    resolveSpeechModel(options),
  ]);
  const models = await linkSpeechModel(model, join(folder.path, 'model'));
  const apiKey = `es_${randomBytes(32).toString('hex')}`;
  return {
    settings: {
      NATS_URL: broker.url,
      NATS_PASSWORD: PASSWORD,
      DATABASE_URL: database.url,
      HOST: '127.0.0.1',
      EARSHOT_HOME: join(folder.path, 'home'),
      EARSHOT_STORAGE_URL: pathToFileURL(join(folder.path, 'recordings')).href,
      EARSHOT_API_KEYS_FILE: await writeKeys(folder.path, apiKey),
      EARSHOT_FFMPEG_BIN: ffmpeg.path,
      EARSHOT_MODEL_DIR: models,
    },
    apiKey,
    sample: model.samples.find((path) => path.endsWith('beckett.wav')) ?? '',
    close: async () => {
      const refused = await refusals(broker);
      await Promise.all([broker.dispose(), database.drop()]);
      await folder.remove();
      assert.deepEqual(refused, []);
    },
  };
}

async function writeKeys(folder: string, key: string): Promise<string> {
  const sha256 = createHash('sha256').update(key).digest('hex');
  const file = join(folder, 'api-keys.json');
  const keys = [{ tenant: 'default', scopes: ['write', 'read', 'operate'], sha256 }];
  await writeFile(file, JSON.stringify({ keys }));
  return file;
}
