import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Client } from '@earshot/client';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type EarshotProcess, startEarshot } from './earshot-process.ts';
import { type Installation, prepareInstallation } from './installation.ts';
import { looped } from './looped.ts';

let installation: Installation;
let addresses: Record<string, string>;
let recording: Blob;
const processes: EarshotProcess[] = [];

beforeAll(async () => {
  installation = await prepareInstallation();
  const { natsUrl: NATS_URL, databaseUrl: DATABASE_URL } = installation.servers;
  addresses = { NATS_URL, DATABASE_URL };
  recording = new Blob([await looped(installation.sample, 150)]);
}, 120_000);

afterAll(async () => {
  const codes = await Promise.all(processes.map((started) => started.interrupt()));
  await installation?.dispose();
  expect(codes.every((code) => code === 0)).toBe(true);
});

function start(service: string): EarshotProcess {
  const started = installation.start(`${service}/src/main.ts`, addresses);
  processes.push(started);
  return started;
}

const urlOf = async (service: EarshotProcess) => (await service.printed(/"url":"([^"]+)"/))[1] ?? '';

it('three kinds of process give the text that one gives, and two workers share a recording', async () => {
  const init = installation.start('combined/src/init.ts', addresses);
  expect(await init.exit).toBe(0);
  const [ingest, results] = [start('ingest'), start('results')];
  const workers = [start('transcription'), start('transcription')];
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

  const combined = await startEarshot(join(installation.folder, 'combined'));
  processes.push(combined);
  const combinedClient = new Client({ baseUrl: combined.url });
  const together = await combinedClient.transcripts.wait(
    (await combinedClient.recordings.create({ file: recording })).id,
  );
  expect(separate.text).toBe(together.text);
  expect(separate.segments).toEqual(together.segments);
}, 180_000);

it('a service refuses to start on streams that are not as its settings want them', async () => {
  const drifted = installation.start('ingest/src/main.ts', { ...addresses, EARSHOT_ACK_WAIT_SECONDS: '30' });
  expect(await drifted.exit).toBe(1);
  expect(drifted.stdout()).toContain('apply the topology first');
});

it('combined starts neither server when it is told where they are', async () => {
  const home = join(installation.folder, 'guest');
  const guest = await startEarshot(home, addresses);
  expect(guest.natsUrl).toBe(addresses.NATS_URL);
  expect(JSON.parse(await readFile(join(home, 'servers.json'), 'utf8'))).toEqual({});
  expect(await guest.interrupt()).toBe(0);
});
