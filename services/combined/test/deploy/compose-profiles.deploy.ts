import { generateKeyPairSync } from 'node:crypto';
import { openAsBlob } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Client } from '@earshot/client';
import { eventually, tempFolder } from '@earshot/testkit';
import { afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { buildServices } from '../faults/build-services.ts';
import type { ServiceProcess } from '../faults/service-process.ts';
import { Deployment, type Started } from './deployment.ts';
import { readCompose } from './read-compose.ts';
import type { Workload } from './workload.ts';

const repository = join(import.meta.dirname, '../../../..');
let deployment: Deployment;
beforeAll(() => buildServices(repository));
beforeEach(async () => {
  deployment = await Deployment.open(repository);
});
afterEach(() => deployment.close());

const clientOf = (started: ReadonlyMap<string, Started>, name: string) =>
  new Client({ baseUrl: started.get(name)?.url ?? '', apiKey: deployment.servers.apiKey });

const finishedChunks = ({ lines }: ServiceProcess) =>
  lines.filter(({ msg, stage }) => msg === 'job finished' && stage === 'chunk').length;

it('--scale transcription=4: four workers run beside each other and share the work', async () => {
  const workloads = await readCompose(repository);
  const started = await deployment.startAll(workloads);
  const transcription = workloads.find(({ name }) => name === 'transcription') as Workload;
  const added = await Promise.all([1, 2, 3].map(() => deployment.startService(transcription)));
  const workers = [started.get('transcription') as Started, ...added].map((worker) => worker.process);
  const [uploads, transcripts] = [clientOf(started, 'ingest'), clientOf(started, 'results')];
  await eventually('four workers to answer', async () => (await transcripts.workers.list()).length === 4);
  const file = await openAsBlob(deployment.servers.sample);
  let recordings = 0;
  const shared = async () => {
    const submitted = await Promise.all(Array.from({ length: 8 }, () => uploads.recordings.create({ file })));
    recordings += submitted.length;
    await Promise.all(submitted.map(({ id }) => transcripts.transcripts.wait(id)));
    return workers.every((worker) => finishedChunks(worker) > 0);
  };
  await eventually('each of the four to have finished a chunk', shared, 90_000);
  // One chunk each: none was done twice.
  const sum = () => workers.reduce((total, worker) => total + finishedChunks(worker), 0);
  await eventually('all chunks to be logged', () => sum() >= recordings);
  expect(sum()).toBe(recordings);
});

it('the profile google has a worker with both engines, and the local one stays the default', async () => {
  const folder = await tempFolder();
  const credentials = join(folder.path, 'google-credentials.json');
  await writeFile(credentials, serviceAccount());
  const started = await deployment.startAll(await readCompose(repository, 'google'), {
    EARSHOT_ENGINES: 'sherpa,google',
    EARSHOT_MAX_ACK_PENDING: 'google=20',
    EARSHOT_GOOGLE_STAGING_URL: 'gs://bucket/staging',
    GOOGLE_APPLICATION_CREDENTIALS_JSON_FILE: credentials,
  });
  const [uploads, results] = [clientOf(started, 'ingest'), clientOf(started, 'results')];
  const lanes = (await results.lanes.list()).lanes.map(({ durable }) => durable);
  expect(lanes).toEqual(expect.arrayContaining(['chunk-sherpa-normal', 'chunk-google-normal']));
  const [worker] = await results.workers.list();
  expect(JSON.stringify(worker)).toContain('google');
  const { id } = await uploads.recordings.create({ file: await openAsBlob(deployment.servers.sample) });
  expect(await results.transcripts.wait(id)).toMatchObject({ status: 'completed', engine: 'sherpa' });
  await folder.remove();
});

it('the profile google does not start without its credentials', async () => {
  const google = (await readCompose(repository, 'google')).filter(({ name }) => name !== 'transcription');
  const worker = google.find(({ name }) => name === 'transcription-google') as Workload;
  const ended = await deployment.start(worker, {
    GOOGLE_APPLICATION_CREDENTIALS_JSON_FILE: '/none/google-credentials.json',
  });
  expect((await ended.ended).code).not.toBe(0);
  expect(ended.tail()).toContain('GOOGLE_APPLICATION_CREDENTIALS_JSON');
});

/** The file of a service account as Google gives it, of nobody. */
function serviceAccount(): string {
  const { privateKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  return JSON.stringify({
    type: 'service_account',
    project_id: 'nobodys',
    client_email: 'a@nobodys.iam.gserviceaccount.com',
    private_key: privateKey,
  });
}
