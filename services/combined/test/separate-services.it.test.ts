import { mkdir, readFile, symlink } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Client } from '@earshot/client';
import {
  embeddedOptionsFromEnv,
  resolveFfmpeg,
  resolveSpeechModel,
  type SharedServers,
  startOrJoinServers,
} from '@earshot/embedded';
import { tempFolder } from '@earshot/testkit';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type EarshotProcess, runSource, startEarshot } from './earshot-process.ts';
import { looped } from './looped.ts';

let folder: Awaited<ReturnType<typeof tempFolder>>;
let servers: SharedServers;
let recording: Blob;
const processes: EarshotProcess[] = [];
const options = embeddedOptionsFromEnv(process.env);

beforeAll(async () => {
  folder = await tempFolder();
  servers = await startOrJoinServers({ home: join(folder.path, 'home'), options });
  const { samples } = await resolveSpeechModel(options);
  const sample = samples.find((path) => path.endsWith('beckett.wav')) ?? '';
  recording = new Blob([await looped(sample, 150)]);
}, 120_000);

afterAll(async () => {
  const codes = await Promise.all(processes.map((started) => started.interrupt()));
  await servers?.leave();
  await folder?.remove();
  expect(codes.every((code) => code === 0)).toBe(true);
});

async function environment(): Promise<Record<string, string>> {
  const [ffmpeg, model] = await Promise.all([resolveFfmpeg(options), resolveSpeechModel(options)]);
  const parts = join(folder.path, 'model');
  await mkdir(parts);
  for (const file of [model.encoder, model.decoder, model.tokens, model.vad])
    await symlink(file, join(parts, basename(file)));
  return {
    NATS_URL: servers.natsUrl,
    DATABASE_URL: servers.databaseUrl,
    EARSHOT_STORAGE_URL: pathToFileURL(join(folder.path, 'storage')).href,
    EARSHOT_FFMPEG_BIN: ffmpeg.path,
    EARSHOT_MODEL_DIR: parts,
    WORKER_CONCURRENCY: '1',
    PORT: '0',
  };
}

async function start(service: string, env: Record<string, string>): Promise<EarshotProcess> {
  const started = runSource(`${service}/src/main.ts`, env);
  processes.push(started);
  return started;
}

const urlOf = async (service: EarshotProcess) => (await service.printed(/"url":"([^"]+)"/))[1] ?? '';

it('three kinds of process give the text that one gives, and two workers share a recording', async () => {
  const env = await environment();
  const init = runSource('combined/src/init.ts', env);
  expect(await init.exit).toBe(0);
  const [ingest, results, first, second] = await Promise.all([
    start('ingest', env),
    start('results', env),
    start('transcription', env),
    start('transcription', env),
  ]);
  const workers = [first, second];
  await Promise.all(workers.map((worker) => worker.printed(/worker ready/)));
  const ingestClient = new Client({ baseUrl: await urlOf(ingest) });
  const resultsClient = new Client({ baseUrl: await urlOf(results) });
  const { id } = await ingestClient.recordings.create({ file: recording });
  const separate = await resultsClient.transcripts.wait(id);
  expect(separate.status).toBe('completed');
  const finished = (worker: EarshotProcess) =>
    worker.stdout().match(/"stage":"chunk".*"msg":"job finished"/g)?.length ?? 0;
  expect(workers.map(finished).every((count) => count > 0)).toBe(true);
  expect(workers.map(finished).reduce((sum, count) => sum + count, 0)).toBe(separate.progress.chunks_total);

  const combined = await startEarshot(join(folder.path, 'combined'));
  processes.push(combined);
  const combinedClient = new Client({ baseUrl: combined.url });
  const together = await combinedClient.transcripts.wait(
    (await combinedClient.recordings.create({ file: recording })).id,
  );
  expect(separate.text).toBe(together.text);
  expect(separate.segments).toEqual(together.segments);
}, 180_000);

it('a service refuses to start on streams that are not as its settings want them', async () => {
  const env = {
    ...(await environment().catch(() => ({}) as Record<string, string>)),
    NATS_URL: servers.natsUrl,
  };
  const storage = pathToFileURL(join(folder.path, 'storage')).href;
  const drifted = runSource('ingest/src/main.ts', {
    ...env,
    EARSHOT_STORAGE_URL: storage,
    PORT: '0',
    EARSHOT_ACK_WAIT_SECONDS: '30',
  });
  expect(await drifted.exit).toBe(1);
  expect(drifted.stdout()).toContain('apply the topology first');
});

it('combined starts neither server when it is told where they are', async () => {
  const home = join(folder.path, 'guest');
  const addresses = { NATS_URL: servers.natsUrl, DATABASE_URL: servers.databaseUrl };
  const guest = await startEarshot(home, addresses);
  expect(guest.natsUrl).toBe(servers.natsUrl);
  expect(JSON.parse(await readFile(join(home, 'servers.json'), 'utf8'))).toEqual({});
  expect(await guest.interrupt()).toBe(0);
});
