import { type ChunkJob, type Cut, chunkFact, type Manifest } from '@earshot/contracts';
import { CodedError } from '@earshot/domain';
import type { EngineCapabilities, EngineInput, EngineOptions } from '@earshot/engine';
import type { Outcome } from '@earshot/jobs';
import { storageKeys } from '@earshot/storage';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Bench, openBench } from '../test/bench.ts';
import { silentLog } from '../test/fakes.ts';
import type { EngineInfo } from './children/protocol.ts';
import type { RunLimits } from './engine-runner.ts';
import { PaidCalls } from './paid/paid-calls.ts';
import type { EngineResult } from './run-engine.ts';
import { transcribeChunk } from './transcribe-chunk.ts';

const SOUND = Buffer.from('what was recorded');
const capabilities: EngineCapabilities = {
  languages: 'any',
  wordTimes: 'none',
  diarization: true,
  wholeRecording: true,
  input: 'reference',
  maxChunkMs: 60_000,
  runs: 'parent',
  billing: 'lookup',
};

let bench: Bench;
beforeEach(async () => {
  bench = await openBench();
  await bench.store(SOUND);
});
afterEach(() => bench.dispose());

/** A vendor that reads what it is pointed at when it is called, and says that back. */
class Vendor {
  readonly info: EngineInfo = { name: 'vendor', model: 'm', capabilities };
  readonly asked: { input: EngineInput; options: EngineOptions }[] = [];
  /** What it read, a line for each paid call. */
  readonly bill: string[] = [];

  /** Called before a try is claimed. */
  prepare: (root: string) => Promise<void> = async () => {};

  async run(input: EngineInput, options: EngineOptions, limits: RunLimits): Promise<EngineResult> {
    this.asked.push({ input, options });
    const text = await limits.ledgerFor(limits).pay<string>({
      billing: 'lookup',
      prepare: (root) => this.prepare(root),
      call: async () => {
        const parts: Buffer[] = [];
        for await (const part of (await input.stored?.open()) ?? []) parts.push(part as Buffer);
        this.bill.push(Buffer.concat(parts).toString());
        return { operation: 'operation-1' };
      },
      find: async () => undefined,
      poll: async () => ({ state: 'done', result: this.bill.at(-1) ?? '' }),
      cancel: async () => {},
    });
    const speaker: string | null = null;
    const segment = { start_ms: 0, end_ms: 1000, text, channel: 0, speaker, words: [] };
    return { segments: [segment], heard: [], engine_ms: 1, steps: [] };
  }
}

const transcribe = (vendor: Vendor, job: Partial<ChunkJob> = {}) =>
  transcribeChunk({
    ...{
      engine: vendor,
      storage: bench.storage,
      buckets: bench.buckets,
      facts: bench.broker,
      worker: 'w-1',
      taskTimeLimitMs: 60_000,
    },
    isStorageAway: async () => false,
    paidCalls: new PaidCalls({ storage: bench.storage, worker: 'w-1', log: silentLog }),
  })(bench.chunkJob({ lane: 'low', language: 'de', ...job }));

const keys = () => storageKeys('acme', bench.id);
const recordingKey = () => bench.chunkJob().data.key;
const decide = (cut: Partial<Cut>) => {
  const whole = { start_ms: 0, end_ms: 10_000, key: recordingKey(), channels: 2 };
  return bench.storage.put(keys().cut(1, 0), Buffer.from(JSON.stringify({ ...whole, ...cut })));
};
const text = (outcome: Outcome) =>
  outcome.kind === 'done' && outcome.publish[0] && chunkFact.read(outcome.publish[0].event).segments[0]?.text;
const gaveUp = (code: string) => ({ kind: 'give_up', error: expect.objectContaining({ code }) });

describe('an engine that reads stored sound by itself', () => {
  it('is told where it lies and what is wanted of it, and nothing is read for it', async () => {
    await decide({ tracks: [0] });
    const options = { diarization: true, vocabulary: ['Earshot'] };
    const manifest: Manifest = {
      ...{ kind: 'recording', tenant_id: 'acme', transcript_id: bench.id, source: 's', event_id: 'e' },
      ...{ uri: recordingKey(), engine: 'vendor', lane: 'low', channels: 'auto', options, warnings: [] },
      created_at: new Date().toISOString(),
    };
    await bench.storage.put(keys().manifest, Buffer.from(JSON.stringify(manifest)));
    const vendor = new Vendor();
    expect(text(await transcribe(vendor))).toBe(String(SOUND));
    expect(vendor.asked).toEqual([
      {
        input: {
          channels: [],
          duration_ms: 10_000,
          stored: expect.objectContaining({ tracks: 2, channels: [0] }),
        },
        options: { language: 'de', lane: 'low', ...options },
      },
    ]);
  });

  it('gets all tracks of a chunk whose cut says nothing of them', async () => {
    await decide({});
    const vendor = new Vendor();
    await transcribe(vendor);
    expect(vendor.asked[0]?.input.stored).toMatchObject({ tracks: 2, channels: [0, 1] });
  });

  it('is not paid for a recording that was replaced after it was cut', async () => {
    const stored = await bench.storage.stat(recordingKey());
    await decide({ version: stored?.version ?? '' });
    await bench.store(Buffer.from('another recording'));
    const vendor = new Vendor();
    expect(await transcribe(vendor)).toEqual(gaveUp('recording_changed'));
    expect(vendor.bill).toEqual([]);
  });

  it('is not paid for a recording that is gone, unless it has it already', async () => {
    await decide({});
    const first = new Vendor();
    await transcribe(first);
    await bench.storage.delete(recordingKey());
    const second = new Vendor();
    expect(text(await transcribe(second))).toBe(String(SOUND));
    expect([first.bill, second.bill]).toEqual([[String(SOUND)], []]);
  });

  it('is pointed at a recording in a bucket of the tenant, and at nobody else’s', async () => {
    const key = 'gs://acme-uploads/talk.wav';
    await bench.uploads.put('talk.wav', SOUND);
    await decide({ key });
    const vendor = new Vendor();
    expect(text(await transcribe(vendor, { key }))).toBe(String(SOUND));
    expect(vendor.asked[0]?.input.stored?.uri).toBe(key);
    const foreign = { key: 'gs://other-uploads/talk.wav' };
    expect(await transcribe(new Vendor(), { ...foreign, n: 1 })).toEqual(gaveUp('forbidden_bucket'));
  });

  it('has what it needs brought before a call is claimed, and no call is made where that fails', async () => {
    await decide({});
    const vendor = new Vendor();
    const claimed = async (root: string) => (await bench.storage.stat(`${root}/intent`)) !== undefined;
    const seen: boolean[] = [];
    vendor.prepare = async (root) => {
      seen.push(await claimed(root));
      throw new CodedError('unavailable', 'the bucket is away');
    };
    expect(await transcribe(vendor)).toMatchObject({ kind: 'later' });
    vendor.prepare = async (root) => void seen.push(await claimed(root));
    expect(text(await transcribe(vendor))).toBe(String(SOUND));
    expect(seen).toEqual([false, false]);
    expect(vendor.bill).toHaveLength(1);
  });

  it('tells voices of two chunks apart, because it heard each chunk by itself', async () => {
    const speaking = (vendor: Vendor) => {
      const run = vendor.run.bind(vendor);
      vendor.run = async (...call) => {
        const result = await run(...call);
        return { ...result, segments: result.segments.map((segment) => ({ ...segment, speaker: '1' })) };
      };
      return vendor;
    };
    const speakerOf = (outcome: Outcome) =>
      outcome.kind === 'done' &&
      outcome.publish[0] &&
      chunkFact.read(outcome.publish[0].event).segments[0]?.speaker;
    expect(speakerOf(await transcribe(speaking(new Vendor())))).toBe('1');
    const key = keys().chunk(1, 1, 'x');
    await bench.storage.put(key, SOUND);
    expect(speakerOf(await transcribe(speaking(new Vendor()), { n: 1, key }))).toBe('2-1');
  });

  it('is not asked for a chunk whose sound nobody has', async () => {
    await decide({});
    await bench.storage.delete(recordingKey());
    const vendor = new Vendor();
    expect(await transcribe(vendor)).toEqual(gaveUp('missing_object'));
    expect(vendor.bill).toEqual([]);
  });
});
