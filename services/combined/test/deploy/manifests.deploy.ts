import { openAsBlob } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Client } from '@earshot/client';
import { eventually, freePort } from '@earshot/testkit';
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest';
import { render } from '../../../../tools/deploy/render-kubernetes.ts';
import { buildServices } from '../faults/build-services.ts';
import { ServiceProcess } from '../faults/service-process.ts';
import { type LocalServers, startLocalServers } from './local-servers.ts';
import { readCompose } from './read-compose.ts';
import { workloadsOf } from './read-kubernetes.ts';
import { onThisMachine, scriptOf, type Workload } from './workload.ts';

const repository = join(import.meta.dirname, '../../../..');
const { kustomize } = inject('goTools');
const fromOverlay = async (name: string) => workloadsOf(await render(kustomize, `overlays/${name}`));
const platforms: [string, Workload[]][] = [
  ['docker-compose.yml', await readCompose(repository)],
  ['k8s/overlays/development', await fromOverlay('development')],
  ['k8s/overlays/medium', await fromOverlay('medium')],
  ['k8s/overlays/spot', await fromOverlay('spot')],
];
/** What the image of services with an engine sets, by its own file. */
const dockerfile = await readFile(join(repository, 'deploy/Dockerfile'), 'utf8');
const imageNames = /^ENV (EARSHOT_FFMPEG_BIN=.*)$/m.exec(dockerfile)?.[1]?.match(/EARSHOT_\w+(?==)/g) ?? [];

let servers: LocalServers;
let running: ServiceProcess[] = [];
beforeEach(async () => {
  await buildServices(repository);
  servers = await startLocalServers();
});
afterEach(async () => {
  await Promise.all(running.map((one) => one.kill()));
  running = [];
  await servers.close();
});

function start(workload: Workload, port = 0): ServiceProcess {
  const ofImage = workload.name === 'transcription' ? imageNames.map((name) => [name, '']) : [];
  const whole = { ...workload, env: { ...Object.fromEntries(ofImage), ...workload.env } };
  const env = onThisMachine(whole, { ...servers.settings, PORT: String(port) });
  const started = new ServiceProcess(workload.name, [scriptOf(workload)], env, repository);
  running.push(started);
  return started;
}

async function startAll(workloads: readonly Workload[]): Promise<Map<string, string>> {
  const init = workloads.find(({ name }) => name === 'init') as Workload;
  const prepared = start(init);
  expect(await prepared.ended, prepared.tail()).toEqual({ code: 0, signal: null });
  const urls = new Map<string, string>();
  for (const workload of workloads.filter(({ name }) => name !== 'init')) {
    const port = await freePort();
    const service = start(workload, port);
    const url = `http://127.0.0.1:${port}`;
    urls.set(workload.name, url);
    await eventually(`the probes of ${workload.name} to answer`, async () => {
      if (!service.alive()) throw new Error(service.tail());
      const answers = await Promise.all(workload.probes.map((path) => fetch(url + path)));
      return answers.length > 0 && answers.every(({ ok }) => ok);
    });
  }
  return urls;
}

describe('what a deployment says starts on real servers, and does the main job', () => {
  it.each(platforms)('%s', async (_, workloads) => {
    const urls = await startAll(workloads);
    const at = (name: string) =>
      new Client({ baseUrl: urls.get(name) ?? '', apiKey: servers.apiKey, retries: 2 });
    const { id } = await at('ingest').recordings.create({ file: await openAsBlob(servers.sample) });
    const transcript = await at('results').transcripts.wait(id);
    expect(transcript.text).toMatch(/^ever tried/i);
  });

  it.each(['ingest', 'transcription', 'results'])(
    '%s does not start with a name that is no setting',
    async (name) => {
      const [, workloads] = platforms[1] as [string, Workload[]];
      const workload = workloads.find((one) => one.name === name) as Workload;
      const ended = start({ ...workload, env: { ...workload.env, EARSHOT_MISSPELT: 'x' } });
      expect((await ended.ended).code).not.toBe(0);
      expect(ended.tail()).toContain('EARSHOT_MISSPELT');
    },
  );

  it('results does not start without an address of its database', async () => {
    const [, workloads] = platforms[1] as [string, Workload[]];
    const { env, ...workload } = workloads.find(({ name }) => name === 'results') as Workload;
    const { DATABASE_URL: _, ...others } = env;
    const ended = start({ ...workload, env: others });
    expect((await ended.ended).code).not.toBe(0);
    expect(ended.tail()).toContain('DATABASE_URL');
  });
});
