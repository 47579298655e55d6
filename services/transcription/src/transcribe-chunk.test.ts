import { readFile } from 'node:fs/promises';
import { SAMPLE_RATE, writeWav } from '@earshot/audio';
import { type ChunkJob, chunkFact, factSubjects, gaveUp } from '@earshot/contracts';
import { CodedError } from '@earshot/domain';
import type { EngineInput } from '@earshot/engine';
import type { Outcome, TakenJob } from '@earshot/jobs';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Bench, openBench } from '../test/bench.ts';
import { silentLog } from '../test/fakes.ts';
import { model, samples } from '../test/parts.ts';
import { deadlineOf } from './chunk/run-chunk.ts';
import { childEnvironment } from './config.ts';
import { type EngineRunner, startEngine } from './engine-runner.ts';
import { engineEntry, engineTable } from './engines.ts';
import { chunkJobs } from './job-kinds.ts';
import { PaidCalls } from './paid/paid-calls.ts';
import { transcribeChunk } from './transcribe-chunk.ts';

type Callable = Pick<EngineRunner, 'info' | 'run'>;

let sherpa: EngineRunner;
let bench: Bench;

beforeAll(async () => {
  const children = { size: 1, maxTasksPerChild: 50, environment: childEnvironment() };
  sherpa = await startEngine('sherpa', engineEntry(engineTable, 'sherpa'), { model }, children, silentLog);
});
afterAll(() => sherpa.close());
beforeEach(async () => {
  bench = await openBench();
});
afterEach(() => bench.dispose());

const transcribe = (job: TakenJob<ChunkJob>, engine: Callable = sherpa) =>
  transcribeChunk({
    ...{
      engine,
      storage: bench.storage,
      buckets: bench.buckets,
      facts: bench.broker,
      worker: 'w-1',
      taskTimeLimitMs: 7_200_000,
    },
    isStorageAway: async () => false,
    paidCalls: new PaidCalls({ storage: bench.storage, worker: 'w-1', log: silentLog }),
  })(job);

/** An engine nobody may call, or one that fails. */
const engineThat = (fail: (input: EngineInput) => unknown): Callable => ({
  get info() {
    return sherpa.info;
  },
  run: async (input) => {
    await fail(input);
    return { segments: [], heard: [], engine_ms: 1, steps: [] };
  },
});
const untouchable = engineThat(() => {
  throw new Error('the engine was called');
});

function chunkOf(outcome: Outcome) {
  const fact = outcome.kind === 'done' ? outcome.publish[0] : undefined;
  if (!fact) throw new Error(`no chunk fact: ${JSON.stringify(outcome)}`);
  return chunkFact.read(fact.event);
}

describe('a chunk', () => {
  it('becomes a fact with text in the time of the recording, and says what it covers', async () => {
    await bench.store(await readFile(samples.beckett));
    const fact = chunkOf(await transcribe(bench.chunkJob({ n: 3, start_ms: 60_000, end_ms: 70_200 })));
    const text = fact.segments.map((segment) => segment.text).join(' ');
    expect(text).toMatch(/Ever tried.*fail again/is);
    expect(fact).toMatchObject({
      n: 3,
      engine: 'sherpa',
      model: 'moonshine-tiny-en',
      language: 'en',
      worker: 'w-1',
    });
    expect(fact.speech_ms).toBeGreaterThan(4000);
    expect(fact.transcribed_ms).toBe(fact.speech_ms);
    expect(fact.engine_ms).toBeGreaterThan(0);
    const words = fact.segments.flatMap((segment) => segment.words);
    expect(words.every(({ start_ms, end_ms }) => start_ms >= 60_000 && end_ms <= 70_200)).toBe(true);
  });

  it('of silence is a fact without text, not an error', async () => {
    await bench.store(writeWav(new Int16Array(SAMPLE_RATE * 5), 1, SAMPLE_RATE));
    const fact = chunkOf(await transcribe(bench.chunkJob({ end_ms: 5000 })));
    expect(fact).toMatchObject({ segments: [], speech_ms: 0, transcribed_ms: 0 });
  });

  it('with the same sound on both channels is transcribed once', async () => {
    const mono = new Int16Array(SAMPLE_RATE).map((_, n) => 8000 * Math.sin(n / 9));
    const stereo = new Int16Array(2 * SAMPLE_RATE).map((_, n) => mono[n >> 1] ?? 0);
    await bench.store(writeWav(stereo, 2, SAMPLE_RATE));
    const seen: EngineInput[] = [];
    await transcribe(
      bench.chunkJob({ end_ms: 1000 }),
      engineThat((input) => seen.push(input)),
    );
    expect(seen).toMatchObject([{ channels: [{ channel: 0 }], duration_ms: 1000 }]);
  });

  it('has a deadline that follows its audio and never passes the limit', () => {
    const channels = [0, 1].map((channel) => ({ channel, samples: new Int16Array() }));
    expect(deadlineOf({ channels, duration_ms: 60_000 }, 7_200_000)).toBe(660_000);
    expect(deadlineOf({ channels, duration_ms: 60_000 }, 30_000)).toBe(30_000);
  });
});

describe('a chunk that somebody has settled', () => {
  const subjects = () => factSubjects('acme', bench.id);
  const event = { id: 'x', source: 'x', type: 'x', specversion: '1.0' as const };
  const gaveUpIn = (generation: number) =>
    chunkJobs.gaveUp(
      bench.chunkJob({ generation }).data,
      new CodedError('lost_text'),
      { worker: 'w' },
      undefined,
    );

  it('is not run again when it is redelivered or retried', async () => {
    bench.broker.messages.push({ subject: subjects().chunk(1, 0), event });
    for (const again of [bench.chunkJob({}, { delivery: 2 }), bench.chunkJob({ attempt: 2 })]) {
      expect(await transcribe(again, untouchable)).toEqual({ kind: 'done', publish: [] });
    }
  });

  it('is not run again after its generation gave up, but a later generation runs', async () => {
    await bench.store(await readFile(samples.beckett));
    bench.broker.messages.push(gaveUpIn(1));
    expect(gaveUp.read(gaveUpIn(1).event)).toMatchObject({
      stage: 'chunk',
      code: 'lost_text',
      end_ms: 10_000,
    });
    const again = { delivery: 2 };
    expect(await transcribe(bench.chunkJob({ generation: 1 }, again), untouchable)).toMatchObject({
      publish: [],
    });
    const calls: unknown[] = [];
    await transcribe(
      bench.chunkJob({ generation: 2 }, again),
      engineThat(() => calls.push(1)),
    );
    expect(calls).toEqual([1]);
  });

  it('is looked up at once when it was sent round again, for a copy may come after its end', async () => {
    await bench.store(await readFile(samples.beckett));
    bench.broker.messages.push(gaveUpIn(1));
    expect(await transcribe(bench.chunkJob({ generation: 1 }), untouchable)).toEqual({
      kind: 'done',
      publish: [],
    });
    bench.broker.messages.push({ subject: subjects().chunk(1, 0), event });
    expect(await transcribe(bench.chunkJob({ generation: 2 }), untouchable)).toEqual({
      kind: 'done',
      publish: [],
    });
  });

  it('is given up on when its audio is gone though its transcript was sent round again', async () => {
    const lost = { kind: 'give_up', error: { code: 'missing_object' } };
    for (const state of ['partial', 'failed'] as const) {
      bench.broker.messages.push({ subject: subjects().final(state), event });
      expect(await transcribe(bench.chunkJob({ generation: 1 }), untouchable)).toMatchObject(lost);
    }
  });

  it('needs no audio any more once the transcript is closed', async () => {
    bench.broker.messages.push({ subject: subjects().accepted, event });
    const lost = { kind: 'give_up', error: { code: 'missing_object' } };
    expect(await transcribe(bench.chunkJob(), untouchable)).toMatchObject(lost);
    bench.broker.messages.push({ subject: subjects().final('completed'), event });
    expect(await transcribe(bench.chunkJob(), untouchable)).toEqual({ kind: 'done', publish: [] });
  });
});

describe('a chunk that fails', () => {
  beforeEach(async () => bench.store(await readFile(samples.beckett)));

  it('by a crash is a failed attempt with the last words of the child', async () => {
    const crash = Object.assign(new CodedError('worker_crashed', 'SIGSEGV'), {
      stderr_tail: 'ort: bad node',
    });
    const outcome = await transcribe(
      bench.chunkJob(),
      engineThat(() => Promise.reject(crash)),
    );
    expect(outcome).toMatchObject({
      kind: 'retry',
      error: { code: 'worker_crashed' },
      stderr_tail: 'ort: bad node',
    });
  });

  it('because the engine cannot start waits without an attempt', async () => {
    const engine = engineThat(() =>
      Promise.reject(new CodedError('unavailable', 'engine sherpa cannot start')),
    );
    expect(await transcribe(bench.chunkJob(), engine)).toMatchObject({ kind: 'later' });
  });

  it('by its language is given up on by the engine itself', async () => {
    expect(await transcribe(bench.chunkJob({ language: 'fi' }))).toMatchObject({
      kind: 'give_up',
      error: { code: 'unsupported_language' },
    });
  });

  it('because it was aborted is handed back', async () => {
    const signal = AbortSignal.abort(new Error('lease lost'));
    expect(await transcribe(bench.chunkJob({}, { signal }))).toEqual({ kind: 'interrupted' });
  });

  it('because its object is larger than its time allows is never read whole', async () => {
    await bench.store(Buffer.alloc(4_000_000));
    expect(await transcribe(bench.chunkJob({ end_ms: 1000 }), untouchable)).toMatchObject({
      kind: 'retry',
      error: { code: 'storage_error' },
    });
  });

  it('under a foreign key is not read', async () => {
    expect(await transcribe(bench.chunkJob({ key: 'globex/a' }), untouchable)).toMatchObject({
      error: { code: 'forbidden_key' },
    });
  });
});
