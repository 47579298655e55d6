import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Client } from '@earshot/client';
import { eventually } from '@earshot/testkit';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { FaultWorld } from './fault-world.ts';
import { noise } from './recording.ts';

let world: FaultWorld;
let client: Client;

beforeAll(async () => {
  world = await FaultWorld.start({ workers: 1 });
  client = new Client({ baseUrl: await world.url('results') });
});
afterAll(() => world?.close());
beforeEach(() => world.cloud.behave({ answer_ms: 0, faults: [] }));

async function openLetters(transcript_id: string) {
  const letters = [];
  for await (const letter of client.deadLetters.list({ transcript_id })) letters.push(letter);
  return letters;
}

const calls = async () => (await world.cloud.log()).filter(({ kind }) => kind === 'free').length;

it('a chunk that was given up on is replayed: the transcript turns from partial to completed', async () => {
  await world.cloud.behave({ faults: ['unreadable'] });
  const id = await world.submit({ seconds: 11 });
  const partial = await world.finished(id);
  expect(partial).toMatchObject({ status: 'partial', revision: 1, error: { code: 'corrupt' } });
  expect(partial.coverage.gaps).toHaveLength(1);
  const before = await calls();
  const [letter, ...others] = await openLetters(id);
  expect(others).toEqual([]);
  const replays = await Promise.all([1, 2].map(() => client.deadLetters.replay(letter?.id ?? 0)));
  expect(replays.map(({ changed }) => changed).sort()).toEqual([0, 1]);
  const whole = await world.finished(id);
  expect(whole).toMatchObject({ status: 'completed', revision: 2, error: null, coverage: { gaps: [] } });
  expect(whole.segments.length).toBe(partial.segments.length + 1);
  expect(await client.deadLetters.replay(letter?.id ?? 0)).toEqual({ changed: 0, refused: 0 });
  expect(await calls()).toBe(before + 1);
  expect(await openLetters(id)).toEqual([]);
});

it('a transcript whose recording could not be cut is retried once the recording is whole', async () => {
  const key = 'default/in/late.wav';
  const sound = Buffer.from(await noise(6, 9_999).arrayBuffer());
  const path = join(world.storage, key);
  await mkdir(join(path, '..'), { recursive: true });
  await writeFile(path, sound.subarray(0, 44));
  const ingest = new Client({ baseUrl: await world.url('ingest') });
  const { id } = await ingest.recordings.create({ uri: key });
  expect(await world.finished(id)).toMatchObject({ status: 'failed', revision: 1 });
  await client.transcripts.retry(id);
  await eventually('it to fail again', async () => (await world.finished(id)).revision === 2);
  await writeFile(path, sound);
  expect(await client.transcripts.retry(id)).toMatchObject({ status: 'processing', error: null });
  expect(await world.finished(id)).toMatchObject({ status: 'completed', revision: 3, duration_ms: 6_000 });
});

it('a transcript that is canceled in mid work stops its worker with the next beat, for good', async () => {
  await world.cloud.behave({ answer_ms: 60_000 });
  const id = await world.submit({ seconds: 11 });
  await world.run('its first chunk', (run) => run.transcript_id === id);
  await eventually('its split', async () => (await client.transcripts.get(id)).progress.chunks_total === 3);
  expect(await client.transcripts.cancel(id)).toMatchObject({ status: 'canceled', revision: 1 });
  const { jobs } = await world.connection();
  await eventually('its jobs to be gone', async () => (await jobs.jobsOf('default', id)).size === 0, 30_000);
  const runs = world.chunkRuns((run) => run.transcript_id === id);
  expect(runs.map(({ outcome }) => outcome)).toEqual(['interrupted']);
  await world.cloud.behave({ answer_ms: 0 });
  expect(await world.finished(await world.submit())).toMatchObject({ status: 'completed' });
  expect(await client.transcripts.get(id)).toMatchObject({ status: 'canceled', revision: 1, segments: [] });
  expect(await world.gaveUps()).toBe(3);
});

it('dead workers take no door down: recordings are taken, transcripts read, health is good and lists nobody', async () => {
  const health = async (service: 'ingest' | 'results') => {
    const answer = await fetch(new URL('/health?workers=1', await world.url(service)));
    return { status: answer.status, body: (await answer.json()) as { status: string; workers: unknown[] } };
  };
  const alive = await health('results');
  expect(alive.body).toMatchObject({
    status: 'healthy',
    workers: [{ engines: [{ name: 'free', slots: 1 }], lanes: ['high', 'normal', 'low'], active_jobs: 0 }],
  });
  await Promise.all(world.workers.map((worker) => worker.kill()));
  const id = await world.submit();
  expect((await world.transcript(id)).status).toMatch(/^(queued|processing)$/);
  for (const service of ['ingest', 'results'] as const) {
    expect(await health(service)).toMatchObject({ status: 200, body: { status: 'healthy', workers: [] } });
  }
  const { queue_length } = await world.results.logged('the queue', ({ msg }) => msg === 'queue length');
  expect(queue_length).toBeGreaterThanOrEqual(0);
});
