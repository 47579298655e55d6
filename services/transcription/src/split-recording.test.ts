import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { MAX_CHANNELS, probeRecording, readWav } from '@earshot/audio';
import { type Cut, factSubjects, type OutgoingMessage } from '@earshot/contracts';
import { CodedError } from '@earshot/domain';
import type { EngineCapabilities } from '@earshot/engine';
import { tempFolder } from '@earshot/testkit';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Bench, openBench, splitOf } from '../test/bench.ts';
import { ffmpeg, makeRecording, samples } from '../test/parts.ts';
import { splitJobs } from './job-kinds.ts';
import { type SplitDependencies, splitRecording } from './split-recording.ts';

const SHORT = { minMs: 2000, maxMs: 4000 };
const english = { languages: ['en'], runs: 'child', maxChunkMs: 120_000 } as unknown as EngineCapabilities;

let bench: Bench;
let media: Awaited<ReturnType<typeof tempFolder>>;
const at = (name: string) => join(media.path, name);

beforeAll(async () => {
  media = await tempFolder();
});
afterAll(() => media.remove());
beforeEach(async () => {
  bench = await openBench();
});
afterEach(() => bench.dispose());

const split = (job = bench.splitJob(), deps: Partial<SplitDependencies> = {}) =>
  splitRecording({ ...bench.deps, lengths: () => SHORT, ...deps })(job);

/** Where the cuts of a plan start, when each starts where the one before ends. */
const joined = (cuts: readonly Cut[]) => [0, ...cuts.slice(0, -1).map(({ end_ms }) => end_ms)];

const splitSubject = () => factSubjects('acme', bench.id).split(1);

describe('a recording', () => {
  it('becomes chunks that join without a gap and hold exactly its sound', async () => {
    await bench.store(samples.two_cities);
    const fact = splitOf(await split());
    const { cuts, jobs, objects } = await bench.state();
    expect(fact).toMatchObject({ count: cuts.length, cuts, channels: 1, duration_ms: cuts.at(-1)?.end_ms });
    expect(cuts.map(({ start_ms }) => start_ms)).toEqual([
      0,
      ...cuts.slice(0, -1).map(({ end_ms }) => end_ms),
    ]);
    expect(jobs).toEqual(
      cuts.map(({ start_ms, end_ms, key }, n) => ({
        ...{ tenant_id: 'acme', transcript_id: bench.id, plan: 1, generation: 0, attempt: 1, n },
        ...{ engine: 'sherpa', lane: 'normal', channels: 'auto', key, start_ms, end_ms },
      })),
    );
    expect(objects).toEqual(cuts.map(({ key }) => key).sort());
    const sound = await Promise.all(
      cuts.map(async ({ key }) => readWav((await bench.storage.read(key)) as Buffer)),
    );
    const frames = sound.reduce((sum, { samples }) => sum + samples.length, 0);
    expect(Math.ceil(frames / 16)).toBe(fact.duration_ms);
    expect(sound.every(({ sampleRate, channels }) => sampleRate === 16_000 && channels === 1)).toBe(true);
  });

  it('is cut after 45 to 75 s for a local engine, and has a waveform', async () => {
    await bench.store(
      await makeRecording(at('long.flac'), '-stream_loop', '4', '-i', samples.two_cities, '-ac', '1'),
    );
    const fact = splitOf(await split(bench.splitJob(), { lengths: undefined, capabilities: () => english }));
    const lengths = fact.cuts.slice(0, -1).map(({ start_ms, end_ms }) => end_ms - start_ms);
    expect(lengths.length).toBeGreaterThanOrEqual(2);
    for (const length of lengths) expect(length).toBeGreaterThanOrEqual(45_000);
    for (const length of lengths) expect(length).toBeLessThanOrEqual(75_000);
    const peaks = JSON.parse(String(await bench.storage.read(fact.peaks_key ?? '')));
    expect(peaks).toMatchObject({ per_second: 10, channels: 1 });
    expect(peaks.data.length).toBe(Math.ceil(fact.duration_ms / 100));
  });

  it('keeps its channels unless a mix was asked for', async () => {
    await bench.store(await makeRecording(at('stereo.wav'), '-i', samples.beckett, '-ac', '2'));
    expect(splitOf(await split()).cuts[0]).toMatchObject({ channels: 2 });
    const mixed = await openBench();
    await mixed.store(at('stereo.wav'));
    expect(splitOf(await splitRecording(mixed.deps)(mixed.splitJob({ channels: 'mixed' })))).toMatchObject({
      channels: 1,
    });
    await mixed.dispose();
  });

  it('has its first chunk job out while the rest is still being cut', async () => {
    await bench.store(samples.two_cities);
    const objectsAtPublish: number[] = [];
    bench.broker.onPublish = async () => {
      objectsAtPublish.push((await bench.state()).objects.length);
    };
    const { count } = splitOf(await split());
    expect(objectsAtPublish).toEqual(Array.from({ length: count }, (_, n) => n + 1));
  });
});

describe('two splitters on one recording', () => {
  it('never mix two plans, however they would cut themselves', async () => {
    await bench.store(samples.two_cities);
    const lengths = [SHORT, { minMs: 3000, maxMs: 5000 }, { minMs: 1500, maxMs: 2500 }];
    const facts = (
      await Promise.all(lengths.map((one) => split(bench.splitJob(), { lengths: () => one })))
    ).map(splitOf);
    const { cuts, jobs, objects } = await bench.state();
    for (const fact of facts) expect(fact.cuts).toEqual(cuts);
    expect(cuts.map(({ start_ms }) => start_ms)).toEqual(joined(cuts));
    expect(jobs.map(({ key }) => key).sort()).toEqual(cuts.map(({ key }) => key).sort());
    expect(objects).toEqual(cuts.map(({ key }) => key).sort());
  });
});

describe('a split that is killed', () => {
  class Killed extends Error {}

  /** Lets `steps` writes of storage and broker happen; then the process is as good as dead. */
  function mortal(steps: number, deps: SplitDependencies): SplitDependencies {
    let left = steps;
    const step = () => {
      left -= 1;
      if (left < 0) throw new Killed();
    };
    const guard = <T extends object>(port: T, names: string[]) =>
      new Proxy(port, {
        get: (target, name) => {
          const method = Reflect.get(target, name) as (...args: unknown[]) => unknown;
          return async (...args: unknown[]) => {
            if (names.includes(String(name)) || left < 0) step();
            return method.apply(target, args);
          };
        },
      });
    const storage = guard(deps.storage, ['put', 'create', 'delete']);
    return { ...deps, storage, publisher: guard(deps.publisher, ['publishFirst']) };
  }

  it('goes on where it was, whichever step it died after', async () => {
    const whole = await readFile(samples.beckett);
    await bench.store(whole);
    const { duration_ms } = splitOf(await split());
    let deaths = 0;
    for (let steps = 0; ; steps += 1) {
      const one = await openBench();
      await one.store(whole);
      const deps = { ...one.deps, lengths: () => SHORT };
      const first = await splitRecording(mortal(steps, deps))(one.splitJob());
      if (first.kind === 'done') {
        await one.dispose();
        break;
      }
      deaths += 1;
      const before = await one.state();
      const fact = splitOf(await splitRecording(deps)(one.splitJob({}, { delivery: 2 })));
      const { cuts, jobs } = await one.state();
      expect(cuts.slice(0, before.cuts.length)).toEqual(before.cuts);
      expect(fact.cuts).toEqual(cuts);
      expect(jobs.map(({ n, key }) => [n, key])).toEqual(cuts.map(({ key }, n) => [n, key]));
      expect(cuts.map(({ start_ms }) => start_ms)).toEqual(joined(cuts));
      expect([fact.duration_ms, cuts.at(-1)?.end_ms]).toEqual([duration_ms, duration_ms]);
      await one.dispose();
    }
    expect(deaths).toBeGreaterThan(9);
  });

  it('does not ask again for chunks that are transcribed', async () => {
    await bench.store(samples.beckett);
    splitOf(await split());
    const { jobs } = await bench.state();
    bench.broker.messages.length = 0;
    const subject = factSubjects('acme', bench.id).chunk(1, 0);
    bench.broker.messages.push({ subject, event: { id: 'x', source: 'x', type: 'x', specversion: '1.0' } });
    splitOf(await split(bench.splitJob({}, { delivery: 2 })));
    expect((await bench.state()).jobs.map(({ n }) => n)).toEqual(jobs.slice(1).map(({ n }) => n));
  });

  it('is done at once when its fact is there', async () => {
    await bench.store(samples.beckett);
    const outcome = await split();
    if (outcome.kind === 'done') bench.broker.messages.push(...outcome.publish);
    expect((await bench.broker.last(splitSubject()))?.subject).toBe(splitSubject());
    await bench.storage.delete(bench.splitJob().data.key);
    for (const again of [
      bench.splitJob(),
      bench.splitJob({}, { delivery: 2 }),
      bench.splitJob({ attempt: 2 }),
    ]) {
      expect(await split(again)).toEqual({ kind: 'done', publish: [] });
    }
  });

  it('is done at once when it was sent round again and its generation has ended', async () => {
    const error = new CodedError('not_audio');
    const gaveUpIn = (generation: number) =>
      splitJobs.gaveUp(bench.splitJob({ generation }).data, error, { worker: 'w' }, undefined);
    bench.broker.messages.push(gaveUpIn(1));
    expect(await split(bench.splitJob({ generation: 1 }))).toEqual({ kind: 'done', publish: [] });
    await bench.store(samples.beckett);
    expect(splitOf(await split(bench.splitJob({ generation: 2 }))).generation).toBe(2);
    expect((await bench.state()).jobs.every(({ generation }) => generation === 2)).toBe(true);
  });

  it('is handed back when it is aborted', async () => {
    await bench.store(samples.two_cities);
    const abort = new AbortController();
    bench.broker.onPublish = () => abort.abort(new Error('lease lost'));
    expect(await split(bench.splitJob({}, { signal: abort.signal }))).toEqual({ kind: 'interrupted' });
    expect((await bench.state()).cuts.length).toBe(1);
  });
});

describe('a recording that is not there', () => {
  it('is waited for, without an attempt, for a minute after it was accepted', async () => {
    expect(await split()).toEqual({ kind: 'later', after_ms: 2000 });
    const accepted_at = new Date(Date.now() - 61_000).toISOString();
    expect(await split(bench.splitJob({ accepted_at }))).toMatchObject({
      kind: 'give_up',
      error: { code: 'missing_object' },
    });
  });

  it('under another tenant is not looked at', async () => {
    expect(await split(bench.splitJob({ key: 'globex/secret.wav' }))).toMatchObject({
      kind: 'give_up',
      error: { code: 'forbidden_key' },
    });
  });
});

describe('what cannot be split', () => {
  it.each([
    [
      'a playlist',
      '#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n',
      'unsupported',
    ],
    ['nothing', '', 'empty_file'],
    ['a text', 'To be, or not to be, that is the question. '.repeat(100), 'not_audio'],
  ])('%s is given up on at once', async (_name, content, code) => {
    await bench.store(Buffer.from(content));
    expect(await split()).toMatchObject({ kind: 'give_up', error: { code } });
    expect(await bench.state()).toEqual({ cuts: [], jobs: [], objects: [] });
  });

  it('a language the engine does not know is refused before any work', async () => {
    const outcome = await split(bench.splitJob({ language: 'de-CH' }), { capabilities: () => english });
    expect(outcome).toMatchObject({ kind: 'give_up', error: { code: 'unsupported_language' } });
    expect(await split(bench.splitJob({ language: 'en-GB' }), { capabilities: () => english })).toMatchObject(
      {
        kind: 'later',
      },
    );
  });

  it('a recording that claims to be too long is given up on', async () => {
    await bench.store(await makeRecording(at('claim.flac'), '-i', samples.two_cities));
    const outcome = await split(bench.splitJob(), { maxRecordingHours: 10 / 3600 });
    expect(outcome).toMatchObject({ kind: 'give_up', error: { code: 'too_long' } });
  });

  it('more channels than anybody speaks on are refused', async () => {
    await bench.store(
      await makeRecording(
        at('many.wav'),
        '-f',
        'lavfi',
        '-i',
        `anullsrc=channel_layout=${MAX_CHANNELS + 8}C:d=1`,
      ),
    );
    expect(await split()).toMatchObject({ kind: 'give_up', error: { code: 'too_many_channels' } });
  });
});

describe('a split that fails after some cuts', () => {
  it('keeps what a recording cut off in the middle still holds', async () => {
    const whole = await readFile(await makeRecording(at('whole.mp3'), '-i', samples.two_cities));
    const { duration_ms } = await probeRecording({ ffmpeg, path: at('whole.mp3') });
    await bench.store(whole.subarray(0, whole.length / 2));
    const fact = splitOf(await split());
    expect(fact).toMatchObject({ truncated: true, code: 'corrupt', detail: expect.any(String) });
    expect(fact.duration_ms).toBeLessThan((duration_ms ?? 0) * 0.6);
    expect(fact.duration_ms).toBeGreaterThan((duration_ms ?? 0) * 0.4);
  });

  it('keeps the cuts before the longest allowed duration', async () => {
    await bench.store(samples.two_cities);
    const fact = splitOf(await split(bench.splitJob(), { maxRecordingHours: 20 / 3600 }));
    expect(fact).toMatchObject({
      truncated: true,
      code: 'too_long',
      count: (await bench.state()).cuts.length,
    });
    expect(fact.duration_ms).toBeLessThanOrEqual(20_000);
  });

  const failingAfter = (count: number, error: CodedError) => {
    let left = count;
    return (_message: OutgoingMessage) => {
      left -= 1;
      if (left < 0) throw error;
    };
  };

  it('is tried again while there are attempts, and keeps its cuts after the last', async () => {
    await bench.store(samples.two_cities);
    bench.broker.onPublish = failingAfter(3, new CodedError('storage_error', 'disk on fire'));
    expect(await split()).toMatchObject({ kind: 'retry', error: { code: 'storage_error' } });
    bench.broker.onPublish = failingAfter(3, new CodedError('storage_error', 'disk on fire'));
    const outcome = await split(bench.splitJob({ attempt: 5 }));
    const { cuts } = await bench.state();
    expect(splitOf(outcome)).toMatchObject({ truncated: true, code: 'storage_error', count: cuts.length });
  });

  it('waits without an attempt while the broker is full', async () => {
    await bench.store(samples.beckett);
    bench.broker.onPublish = failingAfter(1, new CodedError('storage_full'));
    expect(await split(bench.splitJob({ attempt: 5 }))).toMatchObject({ kind: 'later' });
  });
});
