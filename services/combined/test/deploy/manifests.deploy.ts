import { openAsBlob } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Client } from '@earshot/client';
import { createGcsStorage } from '@earshot/storage-gcs';
import { tempFolder } from '@earshot/testkit';
import { afterEach, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { startFakeGcs } from '../../../../libs/storage-gcs/test/fake-gcs.ts';
import { render, renderWith } from '../../../../tools/deploy/render-kubernetes.ts';
import { buildServices } from '../faults/build-services.ts';
import { Deployment, type Started } from './deployment.ts';
import { readCompose } from './read-compose.ts';
import { workloadsOf } from './read-kubernetes.ts';
import type { Workload } from './workload.ts';

const repository = join(import.meta.dirname, '../../../..');
const { kustomize } = inject('goTools');
const overlays = await readdir(join(repository, 'k8s/overlays'));
const fromOverlay = async (name: string) => workloadsOf(await render(kustomize, `overlays/${name}`));
async function withComponent(name: string): Promise<Workload[]> {
  const folder = await tempFolder();
  const rendered = await renderWith(kustomize, join(folder.path, 'k8s'), [name]);
  await folder.remove();
  return workloadsOf(rendered);
}
const platforms: [string, Workload[]][] = [
  ['docker-compose.yml', await readCompose(repository)],
  ['docker-compose.yml, profile combined', await readCompose(repository, 'combined')],
  ['k8s/components/scaled-job', await withComponent('scaled-job')],
];
for (const name of overlays) platforms.push([`k8s/overlays/${name}`, await fromOverlay(name)]);
const development = await fromOverlay('development');
const workloadOf = (name: string) => development.find((one) => one.name === name) as Workload;
/** The server of this machine is one. */
const ONE_SERVER = { EARSHOT_NATS_REPLICAS: '1' };

/** What a deployment makes of a recording. */
async function heard(started: ReadonlyMap<string, Started>): Promise<string | null> {
  const { apiKey, sample } = deployment.servers;
  const at = (name: string) =>
    new Client({ baseUrl: (started.get(name) ?? started.get('combined'))?.url ?? '', apiKey, retries: 2 });
  const { id } = await at('ingest').recordings.create({ file: await openAsBlob(sample) });
  return (await at('results').transcripts.wait(id)).text;
}

let deployment: Deployment;
beforeAll(() => buildServices(repository));
beforeEach(async () => {
  deployment = await Deployment.open(repository);
});
afterEach(() => deployment.close());

describe('what a deployment says starts on real servers, and does the main job', () => {
  it.each(platforms)('%s', async (_, workloads) => {
    expect(await heard(await deployment.startAll(workloads, ONE_SERVER))).toMatch(/^ever tried/i);
  });

  it('k8s/components/recordings-bucket, with recordings in the bucket that it names', async () => {
    const gcs = await startFakeGcs(inject('goTools')['fake-gcs-server']);
    const workloads = await withComponent('recordings-bucket');
    const EARSHOT_STORAGE_URL =
      workloads.find(({ name }) => name === 'ingest')?.env.EARSHOT_STORAGE_URL ?? '';
    const bucket = new URL(EARSHOT_STORAGE_URL).hostname;
    await gcs.makeBucket(bucket);
    const emulated = workloads.map((one) => ({
      ...one,
      env: { ...one.env, EARSHOT_GOOGLE_STORAGE_ENDPOINT: gcs.url },
    }));
    expect(await heard(await deployment.startAll(emulated, { EARSHOT_STORAGE_URL }))).toMatch(/^ever tried/i);
    const kept: string[] = [];
    for await (const { key } of createGcsStorage({ bucket, apiEndpoint: gcs.url }).list('')) kept.push(key);
    expect(kept.length).toBeGreaterThan(0);
    await gcs.stop();
  });

  it.each(['ingest', 'transcription', 'results'])(
    '%s does not start with a name that is no setting',
    async (name) => {
      const workload = workloadOf(name);
      const ended = await deployment.start({ ...workload, env: { ...workload.env, EARSHOT_MISSPELT: 'x' } });
      expect((await ended.ended).code).not.toBe(0);
      expect(ended.tail()).toContain('EARSHOT_MISSPELT');
    },
  );

  it('results does not start without an address of its database', async () => {
    const { env, ...workload } = workloadOf('results');
    const { DATABASE_URL: _, ...others } = env;
    const ended = await deployment.start({ ...workload, env: others });
    expect((await ended.ended).code).not.toBe(0);
    expect(ended.tail()).toContain('DATABASE_URL');
  });

  it('a command that is not in the image does not start', async () => {
    const command = ['node', 'services/combined/dist/initialise.js'];
    const ended = await deployment.start({ ...workloadOf('init'), command });
    expect((await ended.ended).code).not.toBe(0);
    expect(ended.tail()).toContain('initialise.js');
  });
});
