import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { Client } from '@earshot/client';
import { type ServerOfFile, startServerFile, tempFolder } from '@earshot/testkit';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { runCommand } from './earshot-process.ts';
import { type Installation, prepareInstallation, urlOf } from './installation.ts';
import { loginOf, refusals } from './program-users.ts';

const SERVER_FILE = fileURLToPath(new URL('../../../deploy/nats/nats-server.conf', import.meta.url));
const password = (user: string) => `p-${user}`;
let installation: Installation;
let nats: ServerOfFile;

beforeAll(async () => {
  installation = await prepareInstallation();
  nats = await startServerFile(SERVER_FILE, {
    NATS_SERVER_NAME: 'earshot',
    NATS_INIT_PASSWORD: password('init'),
    NATS_INGEST_PASSWORD: password('ingest'),
    NATS_TRANSCRIPTION_PASSWORD: password('transcription'),
    NATS_RESULTS_PASSWORD: password('results'),
    NATS_COMBINED_PASSWORD: password('combined'),
    NATS_PUBLISHER_PASSWORD: password('publisher'),
    NATS_CONSUMER_PASSWORD: password('consumer'),
  });
}, 120_000);

afterAll(async () => {
  await installation?.dispose();
  await nats?.dispose();
});

const start = (user: string, file: string, env: Record<string, string> = {}) =>
  installation.start(file, { NATS_URL: nats.url, ...loginOf(user, password(user)), ...env });

const runExample = (user: string, file: string, argument: string) => {
  const login = { NATS_URL: nats.url, ...loginOf(user, password(user)) };
  return runCommand([process.execPath, `examples/${file}`, argument], login);
};

/** The exit code of the image's HEALTHCHECK where a service listens on `port`. */
async function healthcheck(port: string): Promise<number | null> {
  const dockerfile = await readFile(new URL('../../../deploy/Dockerfile', import.meta.url), 'utf8');
  const command = /^HEALTHCHECK [\s\S]*?CMD (\[.*\])$/m.exec(dockerfile)?.[1] ?? '[]';
  return runCommand(JSON.parse(command) as string[], { PORT: port }).exit;
}

/** What operators do: cancel what waits on the paused lane, retry and replay what failed, rebuild and recover. */
async function operate(uploads: string, reader: Client): Promise<void> {
  const { recordings } = new Client({ baseUrl: uploads });
  const sound = await readFile(installation.sample);
  const waiting = await recordings.create({ file: new Blob([sound]), priority: 'low' });
  expect((await reader.transcripts.cancel(waiting.id)).status).toBe('canceled');

  const broken = await recordings.create({ file: new Blob([sound.subarray(0, 20)]) });
  const failed = () => expect(reader.transcripts.wait(broken.id)).rejects.toThrow();
  await failed();
  await reader.transcripts.retry(broken.id);
  await failed();
  const { changed } = await reader.deadLetters.replayAll({ transcript_id: broken.id });
  expect(changed).toBeGreaterThan(0);
  await failed();
  expect((await reader.rebuild()).facts).toBeGreaterThan(0);
  await reader.recover();
}

it('the users of our server file are enough for a recording, an upload event, health, levers and what operators do', async () => {
  const database = { DATABASE_URL: installation.servers.databaseUrl };
  const init = start('init', 'combined/src/init.ts', database);
  const code = await init.exit;
  expect(init.stderr() + (code === 0 ? '' : init.stdout())).toBe('');
  const ingest = start('ingest', 'ingest/src/main.ts');
  const results = start('results', 'results/src/main.ts', database);
  const worker = start('transcription', 'transcription/src/main.ts');
  await worker.printed(/worker ready/);
  const [uploads, transcripts] = [await urlOf(ingest), await urlOf(results)];
  const reader = new Client({ baseUrl: transcripts });
  const file = new Blob([await readFile(installation.sample)]);
  const { id } = await new Client({ baseUrl: uploads }).recordings.create({ file });
  expect(await reader.transcripts.wait(id)).toMatchObject({ status: 'completed' });

  const published = runExample('publisher', 'publish-upload-event-node/publish.mjs', 'b/none.wav');
  expect([await published.exit, published.stdout()]).toEqual([0, 'stored in UPLOADS\n']);
  const consumed = runExample('consumer', 'consume-completed-node/consume.mjs', '1');
  expect([await consumed.exit, consumed.stdout()]).toEqual([0, expect.stringContaining(': completed, ')]);

  for (const url of [uploads, transcripts, await urlOf(worker)])
    expect([(await fetch(`${url}/health?workers=1`)).status, await healthcheck(new URL(url).port)]).toEqual([
      200, 0,
    ]);
  expect(await healthcheck('1')).toBe(1);
  for (const path of ['queue', 'workers', 'transcripts', 'dead-letters'])
    expect((await fetch(`${transcripts}/v1/${path}`)).status).toBe(200);
  const paused = await fetch(`${transcripts}/v1/lanes/split-low`, {
    method: 'PATCH',
    headers: { 'content-type': 'application/json' },
    body: '{"paused":true}',
  });
  expect(paused.status).toBe(200);
  await operate(uploads, reader);
  for (const service of [worker, ingest, results]) expect(await service.interrupt()).toBe(0);
  expect(await refusals(nats)).toEqual([]);
}, 120_000);

it('and those of combined are enough for all of it in one process', async () => {
  const home = await tempFolder();
  const combined = start('combined', 'combined/src/main.ts', {
    DATABASE_URL: installation.servers.databaseUrl,
    EARSHOT_HOME: home.path,
  });
  const [, url = ''] = await combined.printed(/Earshot is ready: (\S+)/);
  const client = new Client({ baseUrl: url });
  const { id } = await client.recordings.create({ file: new Blob([await readFile(installation.sample)]) });
  expect(await client.transcripts.wait(id)).toMatchObject({ status: 'completed' });
  expect((await fetch(`${url}/health?workers=1`)).status).toBe(200);
  await client.lanes.change('split-low', { paused: true });
  await client.workers.restartPool();
  expect(await combined.interrupt()).toBe(0);
  expect(await refusals(nats)).toEqual([]);
  await home.remove();
}, 120_000);
