import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Client } from '@earshot/client';
import { METRICS } from '@earshot/contracts';
import { embeddedOptionsFromEnv, resolveSpeechModel } from '@earshot/embedded';
import { eventually, tempFolder } from '@earshot/testkit';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startEarshot } from './earshot-process.ts';
import { type Series, scrape, total } from './scrape.ts';

let folder: Awaited<ReturnType<typeof tempFolder>>;
let earshot: Awaited<ReturnType<typeof startEarshot>>;
let client: Client;
let first: Series;

beforeAll(async () => {
  folder = await tempFolder();
  earshot = await startEarshot(join(folder.path, 'home'));
  client = new Client({ baseUrl: earshot.url });
  await eventually('a ready engine', async () => (await fetch(`${earshot.url}/readyz`)).ok);
  first = await scrape(earshot.url);
}, 120_000);

afterAll(async () => {
  await earshot?.interrupt();
  await folder?.remove();
});

/** Told only where an engine has a budget. */
const BUDGETED = METRICS.budgetUsed.name;

it('every metric is there from the first scrape, and nothing was counted', () => {
  const names = [...first.keys()].map((key) => key.replace(/\{.*/, '').replace(/_(count|sum|bucket)$/, ''));
  const missing = Object.values(METRICS).filter(({ name }) => name !== BUDGETED && !names.includes(name));
  expect(missing.map(({ name }) => name)).toEqual([]);
  const told = [...first].filter(
    ([key, value]) =>
      /^earshot_(queue|active_jobs|jobs|job|audio|billed|dead|transcripts|uploads|paid)/.test(key) &&
      value > 0,
  );
  expect(told).toEqual([]);
});

/** A scrape in which the figures that are read now and then, not at every scrape, know of the end too. */
async function settled(): Promise<Series | undefined> {
  const series = await scrape(earshot.url);
  const known =
    total(series, 'earshot_dead_letters', 'stage="split"') === 1 &&
    total(series, 'earshot_realtime_factor') > 0 &&
    total(series, 'earshot_concurrent_users') === 0 &&
    total(series, 'earshot_results_lag') === 0 &&
    total(series, 'earshot_queue_length') === 0 &&
    total(series, 'earshot_active_workers') === 1;
  return known ? series : undefined;
}

it('what was done is counted as the transcripts tell it, and nothing is left in the queues', async () => {
  const { samples } = await resolveSpeechModel(embeddedOptionsFromEnv(process.env));
  const sample = await readFile(samples.find((path) => path.endsWith('beckett.wav')) ?? '');
  const broken = new Blob([sample.subarray(0, 20)]);
  const good = await Promise.all(
    ['one', 'two'].map((session_id) => client.recordings.create({ file: new Blob([sample]), session_id })),
  );
  const bad = await client.recordings.create({ file: broken });
  const done = await Promise.all(good.map(({ id }) => client.transcripts.wait(id)));
  await expect(client.transcripts.wait(bad.id)).rejects.toThrow();
  const audio = done.reduce((sum, { duration_ms }) => sum + (duration_ms ?? 0), 0) / 1000;

  const now = await eventually('all counts', settled, 60_000);
  const jobs = (stage: string, outcome: string) =>
    total(now, 'earshot_jobs_total', `stage="${stage}"`, `outcome="${outcome}"`);
  expect([jobs('split', 'done'), jobs('split', 'give_up'), jobs('chunk', 'done')]).toEqual([2, 1, 2]);
  expect(total(now, 'earshot_job_duration_seconds_count')).toBe(5);
  expect(total(now, 'earshot_job_wait_seconds_count', 'stage="chunk"')).toBe(2);
  expect(total(now, 'earshot_audio_seconds_total')).toBeCloseTo(audio, 1);
  expect(total(now, 'earshot_transcripts_completed_total', 'status="completed"')).toBe(2);
  expect(total(now, 'earshot_uploads_total', 'result="queued"')).toBe(3);
  expect(total(now, 'earshot_realtime_factor')).toBeGreaterThan(0);
  expect(total(now, 'earshot_stream_used_ratio', 'budget="TRANSCRIPTS"')).toBeGreaterThan(0);
  const posts = total(now, 'earshot_http_request_duration_seconds_count', 'route="/v1/recordings"', '"2xx"');
  expect(posts).toBe(3);
}, 90_000);

it('no label is an id', async () => {
  const text = [...(await scrape(earshot.url)).keys()].join('\n');
  expect(text).not.toMatch(/[0-9a-f]{8}-[0-9a-f]{4}-/);
  expect(text.split('\n').length).toBeLessThan(1_000);
});
