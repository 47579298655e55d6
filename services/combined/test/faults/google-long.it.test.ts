import { openAsBlob } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { SAMPLE_RATE, wavHeader } from '@earshot/audio';
import { hearNumbers, sayNumber, tempFolder } from '@earshot/testkit';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { FaultWorld } from './fault-world.ts';

const MINUTE = 60;
let world: FaultWorld;
let folder: Awaited<ReturnType<typeof tempFolder>>;

beforeAll(async () => {
  folder = await tempFolder();
  const hear = (samples: Int16Array) =>
    hearNumbers(samples).map(({ number, ...times }) => ({ ...times, text: String(number) }));
  world = await FaultWorld.start({
    ...{ workers: 2, google: { hear }, realChunks: true },
    env: { EARSHOT_ENGINES: 'google', WORKER_CONCURRENCY: '2' },
    paidTimes: { pollEveryMs: 200 },
  });
});
afterAll(async () => {
  await world?.close();
  await folder?.remove();
});

/** A recording that says a number in each of its seconds, from 0. */
async function counting(seconds: number): Promise<Blob> {
  const path = join(folder.path, `${seconds}.wav`);
  const file = await open(path, 'w');
  await file.write(wavHeader(2 * seconds * SAMPLE_RATE, 1, SAMPLE_RATE));
  for (let second = 0; second < seconds; second += 1)
    await file.write(new Uint8Array(sayNumber(second).buffer));
  await file.close();
  return openAsBlob(path);
}

async function transcribed(seconds: number) {
  const paidBefore = world.speech?.bill().length;
  const id = await world.submit({ file: await counting(seconds) });
  const { status, text, segments, duration_ms } = await world.finished(id, 240_000);
  const calls = world.speech?.bill().slice(paidBefore) ?? [];
  return { status, text, duration_ms, words: segments.flatMap((segment) => segment.words), calls };
}

const upTo = (seconds: number) => Array.from({ length: seconds }, (_, n) => String(n));

it('90 minutes with times of words are cut below the limit of chirp_3, and put together without a seam', async () => {
  const { status, text, words, calls, duration_ms } = await transcribed(90 * MINUTE);
  expect({ status, duration_ms }).toEqual({ status: 'completed', duration_ms: 5_400_000 });
  expect(text).toBe(upTo(90 * MINUTE).join(' '));
  expect(words.map((word) => word.text)).toEqual(upTo(90 * MINUTE));
  const off = words.filter(({ start_ms, end_ms }, n) => {
    const from = n * 1_000 + 250;
    // The vendor's words are measured in whole milliseconds of a chunk, which begins at one.
    return Math.abs(start_ms - from) > 5 || Math.abs(end_ms - (from + 400)) > 5;
  });
  expect(off).toEqual([]);
  const minutes = calls.map(({ billedMs }) => billedMs / 60_000);
  expect(Math.max(...minutes)).toBeLessThanOrEqual(18);
  expect(calls.length).toBeLessThanOrEqual(8);
  // A second is billed whole, at each cut once more at the most.
  expect(minutes.reduce((sum, one) => sum + one, 0)).toBeCloseTo(90, 0);
}, 300_000);

it('what fits is one call, of the recording as it came', async () => {
  const { words, calls } = await transcribed(19 * MINUTE);
  expect(words.map((word) => word.text)).toEqual(upTo(19 * MINUTE));
  expect(calls.map(({ billedMs }) => billedMs)).toEqual([19 * 60_000]);
}, 120_000);
