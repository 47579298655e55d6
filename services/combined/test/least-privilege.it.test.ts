import { mkdir, readFile, symlink } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { Client } from '@earshot/client';
import {
  embeddedOptionsFromEnv,
  resolveFfmpeg,
  resolveSpeechModel,
  type SharedServers,
  startOrJoinServers,
} from '@earshot/embedded';
import { type ServerOfFile, startServerFile, tempFolder } from '@earshot/testkit';
import { connect } from 'nats';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type EarshotProcess, runCommand, runSource } from './earshot-process.ts';

const SERVER_FILE = fileURLToPath(new URL('../../../deploy/nats/nats-server.conf', import.meta.url));
const options = embeddedOptionsFromEnv(process.env);
const password = (user: string) => `p-${user}`;
const processes: EarshotProcess[] = [];
let folder: Awaited<ReturnType<typeof tempFolder>>;
let servers: SharedServers;
let nats: ServerOfFile;
let sample = '';
let common: Record<string, string>;

beforeAll(async () => {
  folder = await tempFolder();
  servers = await startOrJoinServers({ home: join(folder.path, 'home'), options });
  nats = await startServerFile(SERVER_FILE, {
    NATS_SERVER_NAME: 'earshot',
    NATS_INIT_PASSWORD: password('init'),
    NATS_INGEST_PASSWORD: password('ingest'),
    NATS_TRANSCRIPTION_PASSWORD: password('transcription'),
    NATS_RESULTS_PASSWORD: password('results'),
    NATS_PUBLISHER_PASSWORD: password('publisher'),
  });
  const [ffmpeg, model] = await Promise.all([resolveFfmpeg(options), resolveSpeechModel(options)]);
  sample = model.samples.find((path) => path.endsWith('beckett.wav')) ?? '';
  const parts = join(folder.path, 'model');
  await mkdir(parts);
  for (const file of [model.encoder, model.decoder, model.tokens, model.vad])
    await symlink(file, join(parts, basename(file)));
  common = {
    NATS_URL: nats.url,
    EARSHOT_STORAGE_URL: pathToFileURL(join(folder.path, 'storage')).href,
    EARSHOT_FFMPEG_BIN: ffmpeg.path,
    EARSHOT_MODEL_DIR: parts,
    WORKER_CONCURRENCY: '1',
    PORT: '0',
  };
}, 120_000);

afterAll(async () => {
  await Promise.all(processes.map((started) => started.interrupt()));
  await nats?.dispose();
  await servers?.leave();
  await folder?.remove();
});

function start(user: string, file: string, env: Record<string, string> = {}): EarshotProcess {
  const started = runSource(file, { ...common, NATS_USER: user, NATS_PASSWORD: password(user), ...env });
  processes.push(started);
  return started;
}

const urlOf = async (service: EarshotProcess) =>
  (await service.printed(/Server listening at (http[^"]+)"/))[1] ?? '';

/** The exit code of the image's HEALTHCHECK where a service listens on `port`. */
async function healthcheck(port: string): Promise<number | null> {
  const dockerfile = await readFile(new URL('../../../deploy/Dockerfile', import.meta.url), 'utf8');
  const command = /^HEALTHCHECK [\s\S]*?CMD (\[.*\])$/m.exec(dockerfile)?.[1] ?? '[]';
  return runCommand(JSON.parse(command) as string[], { PORT: port }).exit;
}

it('the users of our server file are enough for a recording, an upload event, health and levers', async () => {
  const database = { DATABASE_URL: servers.databaseUrl };
  const init = start('init', 'combined/src/init.ts', database);
  const code = await init.exit;
  expect(init.stderr() + (code === 0 ? '' : init.stdout())).toBe('');
  const ingest = start('ingest', 'ingest/src/main.ts');
  const results = start('results', 'results/src/main.ts', database);
  const worker = start('transcription', 'transcription/src/main.ts');
  await worker.printed(/worker ready/);
  const [uploads, transcripts] = [await urlOf(ingest), await urlOf(results)];
  const reader = new Client({ baseUrl: transcripts });
  const file = new Blob([await readFile(sample)]);
  const { id } = await new Client({ baseUrl: uploads }).recordings.create({ file });
  expect(await reader.transcripts.wait(id)).toMatchObject({ status: 'completed' });

  const login = { user: 'publisher', pass: password('publisher'), inboxPrefix: '_INBOX_publisher' };
  const publisher = await connect({ servers: nats.url, ...login });
  const ack = await publisher
    .jetstream()
    .publish('uploads.default', '{"session_id":"s","gcs_path":"b/none.wav"}');
  expect(ack.stream).toBe('UPLOADS');
  await publisher.close();

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
  expect((await nats.log()).match(/.*Violation.*/g) ?? []).toEqual([]);
}, 60_000);
