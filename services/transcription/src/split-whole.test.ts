import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readWav, SAMPLE_RATE, writeWav } from '@earshot/audio';
import type { EngineCapabilities } from '@earshot/engine';
import { createGoogleEngine } from '@earshot/engine-google';
import { tempFolder } from '@earshot/testkit';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Bench, openBench, splitOf } from '../test/bench.ts';
import { makeRecording, samples } from '../test/parts.ts';
import { type SplitDependencies, splitRecording } from './split-recording.ts';

/** A vendor that reads what is stored, a minute at most. */
const vendor: EngineCapabilities = {
  languages: 'any',
  wordTimes: 'exact',
  diarization: false,
  wholeRecording: true,
  input: 'reference',
  readable: ['wav/pcm_s16le', 'mp3/mp3', 'flac/flac'],
  maxChunkMs: 61_000,
  runs: 'parent',
  billing: 'lookup',
};

const [a, b] = [samples.two_cities, samples.beckett];
const join2 = '[l][r]join=inputs=2:channel_layout=stereo';
const graph = (left: string, right: string) => ['-filter_complex', `${left};${right};${join2}`];
const once = ['-i', a];
const twice = ['-i', a, '-i', b];
const split2 = '[0]asplit[x][y];';
const echo = (taps: string) => `aecho=0.8:0.8:${taps}:0.4|0.3|0.25`;

let bench: Bench;
let media: Awaited<ReturnType<typeof tempFolder>>;
const make = (name: string, ...args: string[]) => makeRecording(join(media.path, name), ...args);

beforeAll(async () => {
  media = await tempFolder();
});
afterAll(() => media.remove());
beforeEach(async () => {
  bench = await openBench();
});
afterEach(() => bench.dispose());

const split = (job = bench.splitJob(), deps: Partial<SplitDependencies> = {}) =>
  splitRecording({ ...bench.deps, capabilities: () => vendor, ...deps })(job);

const keyOf = (cut: { key: string } | undefined) =>
  cut?.key === bench.splitJob().data.key ? 'the recording' : 'a chunk';

describe('a recording that one call of the engine can take', () => {
  it.each([
    ['one channel', 'mono.wav', [...once, '-ac', '1'], 'auto', 1, [0]],
    ['one channel, compressed', 'mono.mp3', [...once, '-ac', '1'], 'auto', 1, [0]],
    ['the same on both channels', 'same.flac', [...once, '-ac', '2'], 'separate', 2, [0]],
    [
      'a voice on each channel',
      'two.wav',
      [...twice, ...graph('[0]anull[l]', '[1]apad[r]'), '-t', '40'],
      'auto',
      2,
      [0, 1],
    ],
  ] as const)('stays where it is, and is one cut: %s', async (_, name, args, channels, count, tracks) => {
    await bench.store(await make(name, ...args));
    const fact = splitOf(await split(bench.splitJob({ channels })));
    const { cuts, jobs, objects } = await bench.state();
    expect(objects).toEqual([]);
    expect(cuts.map(keyOf)).toEqual(['the recording']);
    expect(cuts).toEqual([
      expect.objectContaining({ start_ms: 0, end_ms: fact.duration_ms, channels: count, tracks }),
    ]);
    expect(jobs).toEqual([
      expect.objectContaining({ n: 0, start_ms: 0, end_ms: fact.duration_ms, key: cuts[0]?.key }),
    ]);
    expect(fact).toMatchObject({ count: 1, channels: count, cuts });
    const peaks = JSON.parse(String(await bench.storage.read(fact.peaks_key ?? '')));
    expect(peaks.data.length).toBe(Math.ceil(fact.duration_ms / 100));
  });

  it('is cut once and for all, whoever else would have cut it otherwise', async () => {
    await bench.store(a);
    const local = { capabilities: () => undefined, lengths: () => ({ minMs: 2000, maxMs: 4000 }) };
    const outcomes = await Promise.all([split(), split(bench.splitJob(), local), split()]);
    const { cuts } = await bench.state();
    for (const outcome of outcomes) expect(splitOf(outcome).cuts).toEqual(cuts);
    expect(cuts.at(-1)?.end_ms).toBe(splitOf(await split()).duration_ms);
  });
});

describe('only the sound that is wanted is given to an engine that takes money for each channel', () => {
  const room = [
    ...once,
    ...graph(`${split2}[x]${echo('23|41|67')}[l]`, `[y]volume=0.8,${echo('29|37|83')}[r]`),
  ];
  it.each([
    [
      'the channel that sounds, when it is not the first',
      'right.wav',
      [...once, ...graph(`${split2}[x]volume=0[l]`, '[y]anull[r]')],
      'auto',
      [1],
    ],
    ['a mix of what heard the same room', 'room.wav', room, 'auto', [0]],
    [
      'a mix when one is asked for',
      'mix.wav',
      [...twice, ...graph('[0]anull[l]', '[1]apad[r]'), '-t', '40'],
      'mixed',
      [0],
    ],
  ] as const)('%s', async (_, name, args, channels, tracks) => {
    await bench.store(await make(name, ...args));
    const fact = splitOf(await split(bench.splitJob({ channels })));
    expect(fact.cuts.map(keyOf)).toEqual(['a chunk']);
    expect(fact.cuts[0]).toMatchObject({ channels: 1, tracks });
    const wav = readWav((await bench.storage.read(fact.cuts[0]?.key ?? '')) as Buffer);
    expect(wav.channels).toBe(1);
    expect(Math.ceil(wav.samples.length / 16)).toBe(fact.duration_ms);
    expect(wav.samples.some((sample) => Math.abs(sample) > 1000)).toBe(true);
  });

  it('two of three channels, when the third is silent', async () => {
    const pcm = new Int16Array(20 * SAMPLE_RATE * 3);
    for (let n = 0; n < 20 * SAMPLE_RATE; n += 1) {
      const speaks = Math.floor(n / SAMPLE_RATE) % 2 === 0 ? 0 : 2;
      pcm[3 * n + speaks] = ((n * 7919) % 20_001) - 10_000;
    }
    await bench.store(writeWav(pcm, 3, SAMPLE_RATE));
    const fact = splitOf(await split());
    expect(fact.cuts[0]).toMatchObject({ channels: 2, tracks: [0, 2] });
    const wav = readWav((await bench.storage.read(fact.cuts[0]?.key ?? '')) as Buffer);
    expect(wav.channels).toBe(2);
    expect(Math.ceil(wav.samples.length / 2 / 16)).toBe(fact.duration_ms);
  });
});

describe('a recording is cut when the engine', () => {
  const long = ['-stream_loop', '2', ...once, '-ac', '1'];
  it.each([
    ['takes no such long ones', 'long.flac', long],
    ['does not read the coding', 'deep.wav', [...once, '-c:a', 'pcm_s24le']],
    [
      'would have to choose among tracks',
      'tracks.mkv',
      [...twice, '-map', '0:a', '-map', '1:a', '-c:a', 'flac'],
    ],
  ])('%s', async (_, name, args) => {
    await bench.store(await make(name, ...args));
    const { cuts, duration_ms } = splitOf(await split());
    expect(cuts.map(keyOf)).toEqual(cuts.map(() => 'a chunk'));
    expect(cuts.at(-1)?.end_ms).toBe(duration_ms);
    for (const { start_ms, end_ms } of cuts)
      expect(end_ms - start_ms).toBeLessThanOrEqual(0.9 * vendor.maxChunkMs);
  });

  it('would be given less than its header says, or more', async () => {
    const whole = await readFile(await make('whole.flac', ...long));
    await bench.store(whole.subarray(0, whole.length / 3));
    expect(splitOf(await split())).toMatchObject({ truncated: true, code: 'corrupt' });
    expect((await bench.state()).cuts.map(keyOf)).toEqual(['a chunk']);
    const lying = await openBench();
    const wav = writeWav(new Int16Array(90 * SAMPLE_RATE).fill(5000), 1, SAMPLE_RATE);
    wav.writeUInt32LE(10 * 2 * SAMPLE_RATE, 40);
    await lying.store(wav);
    const fact = splitOf(
      await splitRecording({ ...lying.deps, capabilities: () => vendor })(lying.splitJob()),
    );
    expect(fact).toMatchObject({ duration_ms: 90_000, count: 2 });
    await lying.dispose();
  });
});

it('a chunk that a remote engine gets is no longer than 20 minutes', async () => {
  const hours = { ...vendor, wholeRecording: false, maxChunkMs: 8 * 3_600_000 };
  await bench.store(await make('half-hour.flac', '-f', 'lavfi', '-i', 'anoisesrc=r=16000:d=2400:a=0.05'));
  const { cuts } = splitOf(await split(bench.splitJob(), { capabilities: () => hours }));
  expect(Math.max(...cuts.map(({ start_ms, end_ms }) => end_ms - start_ms))).toBeLessThanOrEqual(1_200_000);
  expect(cuts.length).toBeLessThanOrEqual(4);
});

describe('Google reads by itself', () => {
  const google = createGoogleEngine({ access: { projectId: 'p', endpoint: '127.0.0.1:1' } });
  it.each([
    ['law.wav', ['-c:a', 'pcm_mulaw', '-ar', '8000'], 'the recording'],
    ['talk.m4a', ['-c:a', 'aac'], 'the recording'],
    ['talk.mov', ['-c:a', 'aac'], 'the recording'],
    ['talk.ogg', ['-c:a', 'libopus'], 'the recording'],
    ['talk.webm', ['-c:a', 'libopus'], 'the recording'],
    ['vorbis.ogg', ['-c:a', 'libvorbis'], 'a chunk'],
    ['lossless.m4a', ['-c:a', 'alac'], 'a chunk'],
    ['adpcm.wav', ['-c:a', 'adpcm_ms'], 'a chunk'],
  ])('%s %j: %s', async (name, coding, where) => {
    await bench.store(await make(name, ...once, '-ac', '1', ...coding));
    const { cuts } = splitOf(await split(bench.splitJob(), { capabilities: () => google.capabilities }));
    expect(cuts.map(keyOf)).toEqual([where]);
  });
});

describe('a recording in a bucket of the tenant', () => {
  const key = 'gs://acme-uploads/in/talk.wav';
  const inBucket = async (path: string) => bench.uploads.put('in/talk.wav', await readFile(path));

  it('is never copied when the engine can take it, and never deleted', async () => {
    await inBucket(a);
    const fact = splitOf(await split(bench.splitJob({ key })));
    const version = (await bench.uploads.stat('in/talk.wav'))?.version;
    expect(fact.cuts).toEqual([
      { start_ms: 0, end_ms: fact.duration_ms, key, channels: 1, tracks: [0], version },
    ]);
    const stored: string[] = [];
    for await (const object of bench.storage.list('')) stored.push(object.key);
    expect(stored.filter((name) => !/\/(cuts|peaks)\//.test(name))).toEqual([]);
    expect(version).toBeDefined();
  });

  it('is cut into chunks of our own when the engine cannot', async () => {
    await inBucket(await make('long-in-bucket.flac', '-stream_loop', '2', '-i', a, '-ac', '1'));
    const { cuts } = splitOf(await split(bench.splitJob({ key })));
    expect(cuts.length).toBeGreaterThan(1);
    expect(cuts.every((cut) => cut.key.startsWith(`acme/${bench.id}/chunks/`))).toBe(true);
  });

  it('is not mixed with another one that took its place', async () => {
    await inBucket(await make('first.flac', '-stream_loop', '2', '-i', a, '-ac', '1'));
    bench.broker.onPublish = () => {
      throw new Error('killed after the first cut');
    };
    await split(bench.splitJob({ key }));
    bench.broker.onPublish = () => {};
    await inBucket(await make('second.flac', '-stream_loop', '9', '-i', b, '-ac', '1'));
    const fact = splitOf(await split(bench.splitJob({ key }, { delivery: 2 })));
    expect(fact).toMatchObject({ count: 1, truncated: true, code: 'recording_changed' });
  });

  it('is not read for a tenant whose bucket it is not', async () => {
    for (const foreign of ['gs://other-uploads/talk.wav', 'gs://acme-uploads-2/talk.wav']) {
      expect(await split(bench.splitJob({ key: foreign }))).toMatchObject({
        kind: 'give_up',
        error: { code: 'forbidden_bucket' },
      });
    }
  });
});
