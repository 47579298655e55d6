import { openAsBlob } from 'node:fs';
import { join } from 'node:path';
import { Client } from '@earshot/client';
import { tempFolder } from '@earshot/testkit';
import { afterEach, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { render, renderWith } from '../../../../tools/deploy/render-kubernetes.ts';
import { buildServices } from '../faults/build-services.ts';
import { Deployment } from './deployment.ts';
import { readCompose } from './read-compose.ts';
import { workloadsOf } from './read-kubernetes.ts';
import type { Workload } from './workload.ts';

const repository = join(import.meta.dirname, '../../../..');
const { kustomize } = inject('goTools');
const fromOverlay = async (name: string) => workloadsOf(await render(kustomize, `overlays/${name}`));
async function withJobs(): Promise<Workload[]> {
  const folder = await tempFolder();
  const rendered = await renderWith(kustomize, join(folder.path, 'k8s'), ['scaled-job']);
  await folder.remove();
  return workloadsOf(rendered);
}
const platforms: [string, Workload[]][] = [
  ['docker-compose.yml', await readCompose(repository)],
  ['docker-compose.yml, profile combined', await readCompose(repository, 'combined')],
  ['k8s/overlays/development', await fromOverlay('development')],
  ['k8s/overlays/medium', await fromOverlay('medium')],
  ['k8s/overlays/spot', await fromOverlay('spot')],
  ['k8s/components/scaled-job', await withJobs()],
];
const [, development] = platforms[2] as [string, Workload[]];
const workloadOf = (name: string) => development.find((one) => one.name === name) as Workload;

let deployment: Deployment;
beforeAll(() => buildServices(repository));
beforeEach(async () => {
  deployment = await Deployment.open(repository);
});
afterEach(() => deployment.close());

describe('what a deployment says starts on real servers, and does the main job', () => {
  it.each(platforms)('%s', async (_, workloads) => {
    const started = await deployment.startAll(workloads);
    const { apiKey, sample } = deployment.servers;
    const at = (name: string) =>
      new Client({ baseUrl: (started.get(name) ?? started.get('combined'))?.url ?? '', apiKey, retries: 2 });
    const { id } = await at('ingest').recordings.create({ file: await openAsBlob(sample) });
    const transcript = await at('results').transcripts.wait(id);
    expect(transcript.text).toMatch(/^ever tried/i);
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
