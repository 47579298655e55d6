import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Client } from '@earshot/client';
import { type ServerOfFile, startServerFile, type TestDatabase, testDatabase } from '@earshot/testkit';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Installation, prepareInstallation, urlOf } from '../installation.ts';
import { refusals } from '../program-users.ts';

const SERVER_FILE = join(import.meta.dirname, '../../../../examples/shared-broker/nats-server.conf');
const PLATFORMS = ['north', 'south'] as const;
const PROGRAMS = ['init', 'ingest', 'transcription', 'results', 'publisher', 'consumer'];
const passwordOf = (user: string) => `p-${user}`;
const variableOf = (user: string) => `${user.toUpperCase().replace('-', '_')}_PASSWORD`;

let installation: Installation;
let nats: ServerOfFile;
const databases = new Map<string, TestDatabase>();

beforeAll(async () => {
  const users = PLATFORMS.flatMap((platform) => PROGRAMS.map((program) => `${platform}-${program}`));
  const passwords = users.map((user) => [variableOf(user), passwordOf(user)]);
  installation = await prepareInstallation();
  nats = await startServerFile(SERVER_FILE, {
    NATS_SERVER_NAME: 'shared',
    ...Object.fromEntries(passwords),
  });
  for (const platform of PLATFORMS) databases.set(platform, await testDatabase());
});
afterAll(async () => {
  await installation?.dispose();
  await nats?.dispose();
  for (const database of databases.values()) await database.drop();
});

/** All programs of one platform, each as its user, with a database and a store of its own. */
async function startPlatform(platform: string) {
  const database = { DATABASE_URL: databases.get(platform)?.url ?? '' };
  const start = (program: string, file: string, env: Record<string, string> = {}) =>
    installation.start(file, {
      NATS_URL: nats.url,
      NATS_USER: `${platform}-${program}`,
      NATS_PASSWORD: passwordOf(`${platform}-${program}`),
      NATS_INBOX_PREFIX: `_INBOX_${program}`,
      EARSHOT_STORAGE_URL: pathToFileURL(join(installation.folder, platform)).href,
      ...env,
    });
  expect(await start('init', 'combined/src/init.ts', database).exit).toBe(0);
  const ingest = start('ingest', 'ingest/src/main.ts');
  const results = start('results', 'results/src/main.ts', database);
  await start('transcription', 'transcription/src/main.ts').printed(/worker ready/);
  const clientOf = async (service: typeof ingest) => new Client({ baseUrl: await urlOf(service) });
  return { uploads: await clientOf(ingest), transcripts: await clientOf(results) };
}

it('two platforms on one nats-server transcribe beside each other, and neither knows of the other', async () => {
  const [north, south] = [await startPlatform('north'), await startPlatform('south')];
  const file = new Blob([await readFile(installation.sample)]);
  for (const { uploads, transcripts } of [north, south, north]) {
    const { id } = await uploads.recordings.create({ file });
    expect(await transcripts.transcripts.wait(id)).toMatchObject({ status: 'completed' });
  }
  const listed = async ({ transcripts }: typeof north) => {
    let count = 0;
    for await (const _ of transcripts.transcripts.list()) count += 1;
    return count;
  };
  expect([await listed(north), await listed(south)]).toEqual([2, 1]);
  for (const { transcripts } of [north, south]) expect(await transcripts.workers.list()).toHaveLength(1);
  expect(await refusals(nats)).toEqual([]);
});
