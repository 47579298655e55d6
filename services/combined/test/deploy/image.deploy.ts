import { execFile } from 'node:child_process';
import { openAsBlob } from 'node:fs';
import { chown, cp, mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Client } from '@earshot/client';
import { eventually, freePort } from '@earshot/testkit';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { type Image, ImageBuilder } from '../../../../tools/deploy/build-image.ts';
import { prepareContainer } from '../../../../tools/deploy/container.ts';
import { ServiceProcess } from '../faults/service-process.ts';
import { type LocalServers, startLocalServers } from './local-servers.ts';

const run = promisify(execFile);
const repository = join(import.meta.dirname, '../../../..');
const SPLIT = ['ingest', 'transcription', 'results'];
const ALL = [...SPLIT, 'combined'];
/** Both ways to bring the model: one by a volume, one in the image. */
const MODELS: Record<string, string> = { transcription: 'mounted', combined: 'baked' };
const MODEL_PLACE = '/opt/earshot/model';
const USER = 1000;

let builder: ImageBuilder;
let servers: LocalServers;
let recordings: string;
let home: string;
let model: string;
const images = new Map<string, Image>();
const running = new Set<Started>();

/** A container at work. */
interface Started {
  readonly url: string;
  readonly process: ServiceProcess;
  /** Runs a program in it, as the same user; returns what it printed. */
  exec(...command: readonly string[]): Promise<string>;
  /** Of its first process, as this machine counts. */
  first(): Promise<number>;
}

beforeAll(async () => {
  builder = await ImageBuilder.open(repository, 'deploy/Dockerfile');
  servers = await startLocalServers();
  recordings = fileURLToPath(servers.settings.EARSHOT_STORAGE_URL ?? '');
  home = join(recordings, '../home');
  for (const folder of [recordings, home]) {
    await mkdir(folder);
    await chown(folder, USER, USER);
  }
  model = join(recordings, '../mounted-model');
  await cp(servers.settings.EARSHOT_MODEL_DIR ?? '', model, { recursive: true, dereference: true });
  const build = async (name: string) =>
    images.set(name, await builder.build({ SERVICE: name, MODEL: MODELS[name] }));
  await Promise.all(ALL.map(build));
}, 1_800_000);
afterEach(async () => {
  await Promise.all([...running].map(({ process }) => process.kill()));
  running.clear();
});
afterAll(async () => {
  await servers?.close();
  await builder?.close();
});

const imageOf = (name: string) => images.get(name) as Image;

async function start(name: string, more: { cmd?: readonly string[]; mounts?: Record<string, string> } = {}) {
  const { EARSHOT_FFMPEG_BIN: _, EARSHOT_MODEL_DIR: __, ...settings } = servers.settings;
  const port = await freePort();
  const keys = '/run/secrets/api-keys';
  const places = { EARSHOT_STORAGE_URL: 'file:/data/recordings', EARSHOT_API_KEYS_FILE: keys };
  const { DATABASE_URL = '', ...others } = settings;
  const database = name === 'ingest' || name === 'transcription' ? {} : { DATABASE_URL };
  const container = await prepareContainer(builder, imageOf(name), {
    env: { ...others, ...database, ...places, PORT: String(port) },
    mounts: { '/data/recordings': recordings, [keys]: settings.EARSHOT_API_KEYS_FILE ?? '', ...more.mounts },
    ...(more.cmd ? { cmd: more.cmd } : {}),
  });
  const [program, ...args] = container.start;
  const process = new ServiceProcess(name, args, {}, repository, program);
  const first = async () => {
    const children = await readFile(`/proc/${process.pid}/task/${process.pid}/children`, 'utf8');
    return Number(children);
  };
  const exec = async (...command: readonly string[]) => {
    const [enter, ...rest] = container.exec(await first(), ...command);
    return (await run(enter, rest)).stdout.trim();
  };
  const started: Started = { url: `http://127.0.0.1:${port}`, process, exec, first };
  running.add(started);
  return started;
}

async function startWell(name: string, mounts = {}): Promise<Started> {
  const started = await start(name, { mounts });
  const ready = async () => !started.process.alive() || (await fetch(`${started.url}/readyz`)).ok;
  await eventually(`${name} to be ready`, ready, 60_000);
  expect(started.process.alive(), started.process.tail()).toBe(true);
  return started;
}

async function transcribe(door: Started, results: Started): Promise<string | null | undefined> {
  const at = ({ url }: Started) => new Client({ baseUrl: url, apiKey: servers.apiKey, retries: 2 });
  const { id } = await at(door).recordings.create({ file: await openAsBlob(servers.sample) });
  return (await at(results).transcripts.wait(id)).text;
}

const installed = async (name: string): Promise<Record<string, unknown>> => {
  const done = await builder.read(imageOf(name), '/app/node_modules/.package-lock.json');
  return JSON.parse(done).packages;
};

it.each(ALL)('%s holds no dependency of development', async (name) => {
  const packages = Object.keys(await installed(name));
  expect(packages.length).toBeGreaterThan(50);
  const lock = JSON.parse(await readFile(join(repository, 'package-lock.json'), 'utf8')).packages;
  expect(packages.filter((path) => lock[path] === undefined || lock[path].dev)).toEqual([]);
});

it.each([
  ['ingest', false],
  ['transcription', false],
  ['results', true],
])('%s can reach PostgreSQL: %s', async (name, can) => {
  expect(Object.keys(await installed(name)).includes('node_modules/pg')).toBe(can);
});

it.each(ALL)('%s is asked for its health as the platforms do', (name) => {
  const { healthcheck, user, ports } = imageOf(name).config;
  expect(healthcheck?.flags).toEqual({ interval: '30s', timeout: '10s', 'start-period': '5s', retries: '3' });
  expect(user).toBe(`${USER}:${USER}`);
  expect(ports).toEqual(['8080']);
});

it('three images on a read-only root do the main job, and end when they are told to', async () => {
  const init = await start('combined', { cmd: ['node', 'services/combined/dist/init.js'] });
  expect(await init.process.ended, init.process.tail()).toEqual({ code: 0, signal: null });
  const services = new Map<string, Started>();
  for (const name of SPLIT) {
    services.set(name, await startWell(name, name === 'transcription' ? { [MODEL_PLACE]: model } : {}));
  }
  const [door, results] = [services.get('ingest') as Started, services.get('results') as Started];
  expect(await transcribe(door, results)).toMatch(/^ever tried/i);
  for (const [name, service] of services) await expectConfined(name, service);
  await expectEnd([...services.values()]);
}, 300_000);

it('combined does it alone', async () => {
  const combined = await startWell('combined', { '/data/earshot': home });
  expect(await transcribe(combined, combined)).toMatch(/^ever tried/i);
  await expectConfined('combined', combined);
  expect(await combined.exec('earshot', '--help')).toContain('Usage');
  await expectEnd([combined]);
}, 300_000);

async function expectConfined(name: string, service: Started): Promise<void> {
  const { healthcheck } = imageOf(name).config;
  await service.exec(...(healthcheck?.command ?? []));
  expect(await service.exec('cat', '/proc/1/comm')).toBe('tini');
  const status = await service.exec('cat', '/proc/1/status');
  expect(status).toMatch(new RegExp(`^Uid:\\s+${USER}\\s+${USER}\\s+${USER}\\s+${USER}$`, 'm'));
  expect(status).toMatch(/^CapEff:\s+0+$/m);
  const find = 'find / -xdev -not -type l -writable 2>/dev/null || true';
  const writable = (await service.exec('sh', '-c', find)).split('\n').sort();
  const own = name === 'combined' ? ['/data/earshot'] : [];
  expect(writable).toEqual([...own, '/data/recordings', '/tmp']);
}

async function expectEnd(services: readonly Started[]): Promise<void> {
  for (const service of services) process.kill(await service.first(), 'SIGTERM');
  const ends = await Promise.all(services.map(({ process }) => process.ended));
  expect(ends).toEqual(services.map(() => ({ code: 0, signal: null })));
}

it('an image without a model says what it lacks, when nobody mounts one', async () => {
  const { process } = await start('transcription');
  expect((await process.ended).code).toBe(2);
  expect(process.tail()).toContain(`EARSHOT_MODEL_DIR is ${MODEL_PLACE}, which lacks encoder_model.ort`);
});

it('is unhealthy where nothing answers', async () => {
  const { healthcheck } = imageOf('ingest').config;
  const { process } = await start('ingest', { cmd: healthcheck?.command ?? [] });
  expect(await process.ended).toEqual({ code: 1, signal: null });
});
