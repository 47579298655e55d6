import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import { SAMPLE_RATE, writeWav } from '@earshot/audio';
import type { CodedError, Segment } from '@earshot/domain';
import type { EngineOptions, LookupCall, SpeechEngine, StoredAudio } from '@earshot/engine';
import { engineConformance } from '@earshot/engine/testing';
import type { ObjectStorage } from '@earshot/storage';
import { eventually, hearNumbers, sayNumber, startTcpProxy, tempFolder } from '@earshot/testkit';
import type { grpc } from 'google-gax';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { objectsOf, openAddressedFolder } from '../test/speech-server/addressed-folder.ts';
import { SpeechServer } from '../test/speech-server/speech-server.ts';
import { createGoogleEngine } from './google-engine.ts';

let folder: Awaited<ReturnType<typeof tempFolder>>;
let storage: ObjectStorage;
let server: SpeechServer;
let engine: SpeechEngine;

beforeEach(async () => {
  folder = await tempFolder();
  storage = await openAddressedFolder(folder.path);
  const hear = (samples: Int16Array) =>
    hearNumbers(samples).map(({ number, ...times }) => ({ ...times, text: `n${number}` }));
  server = await SpeechServer.start({ objects: objectsOf(storage, folder.path), hear });
  engine = createGoogleEngine({ access: { projectId: 'p', endpoint: server.endpoint }, staging: storage });
});
afterEach(async () => {
  await engine.close();
  await server.close();
  await storage.close();
  await folder.remove();
});

const SECONDS = 25;

/** Numbers from `first` on each channel, one a second. */
function recording(...firsts: number[]): Buffer {
  const pcm = new Int16Array(SECONDS * SAMPLE_RATE * firsts.length);
  for (const [channel, first] of firsts.entries()) {
    for (let second = 0; second < SECONDS; second += 1) {
      for (const [n, sample] of sayNumber(first + second).entries())
        pcm[(second * SAMPLE_RATE + n) * firsts.length + channel] = sample;
    }
  }
  return writeWav(pcm, firsts.length, SAMPLE_RATE);
}

const elsewhere = (bytes: Buffer, channels: number[] = [0]): StoredAudio => ({
  tracks: channels.length,
  channels,
  open: async () => Readable.from([bytes]),
});

const inputOf = (stored: StoredAudio, duration_ms = SECONDS * 1000) => ({
  channels: [],
  duration_ms,
  stored,
});

async function inBucket(bytes: Buffer, channels: number[] = [0]): Promise<StoredAudio> {
  await storage.put('in/recording', bytes);
  return { ...elsewhere(bytes, channels), uri: storage.addressOf?.('in/recording') };
}

engineConformance('google', {
  create: async () =>
    createGoogleEngine({ access: { projectId: 'p', endpoint: server.endpoint }, staging: storage }),
  speech: async () => inputOf(elsewhere(recording(100))),
  silences: async () =>
    [48_000, 0].map((length) =>
      inputOf(elsewhere(writeWav(new Int16Array(length), 1, SAMPLE_RATE)), length / 16),
    ),
  failures: {
    transient: async () => server.behave({ faults: ['operation INTERNAL'] }),
    quota: async () => server.behave({ faults: ['quota'] }),
    permanent: async () => server.behave({ faults: ['forget'] }),
    caller: async () => server.behave({ faults: ['file INVALID_ARGUMENT'] }),
  },
  left: async () => [...(await left()), ...Array(server.inFlight().now).fill('a running operation')],
});

const signal = new AbortController().signal;

let tries = 1;

/** Does what the ledger does when nothing goes wrong, and keeps the call for more. */
async function run(stored: StoredAudio, options: EngineOptions = {}) {
  let made: LookupCall<unknown> | undefined;
  let billed: number | undefined;
  const key = `acme/calls/1-0-google-${tries++}/${randomUUID()}`;
  const pay = async <Result>(call: LookupCall<Result>): Promise<Result> => {
    made = call;
    await call.prepare?.(key.slice(0, key.lastIndexOf('/')), signal);
    const placed = await call.call(key, signal);
    if ('refused' in placed) throw placed.refused;
    for (;;) {
      const state = await call.poll(placed.operation, signal);
      if (state.state === 'running') continue;
      billed = state.billed_ms;
      if (state.state === 'failed') throw state.error;
      return state.result;
    }
  };
  const heard: unknown[] = [];
  const segments: Segment[] = [];
  const context = {
    signal,
    ledger: { pay: pay as never },
    heartbeat: () => {},
    heard: (one: unknown) => heard.push(one),
  };
  const ended = (async () => {
    for await (const segment of engine.transcribe(inputOf(stored), options, context)) segments.push(segment);
  })();
  const error = await ended.then(
    () => undefined,
    (failure: CodedError) => failure,
  );
  return { segments, heard, billed, error, call: made as LookupCall<unknown>, key };
}

const words = (segments: readonly Segment[], channel = 0) =>
  segments.filter((segment) => segment.channel === channel).flatMap((segment) => segment.words);
const counted = (first: number) => Array.from({ length: SECONDS }, (_, n) => `n${first + n}`);
const left = async () => {
  const keys: string[] = [];
  for await (const { key } of storage.list('')) if (!key.startsWith('in/')) keys.push(key);
  return keys;
};

describe('a recording in a bucket', () => {
  it('is read in place, and every word comes back with its time and confidence', async () => {
    const { segments, billed, error } = await run(await inBucket(recording(100)));
    expect(error).toBeUndefined();
    expect(words(segments).map(({ text }) => text)).toEqual(counted(100));
    for (const [n, { start_ms, timing, confidence }] of words(segments).entries()) {
      expect(Math.abs(start_ms - (n * 1000 + 250))).toBeLessThanOrEqual(3);
      expect({ timing, confidence: confidence?.toFixed(1) }).toEqual({ timing: 'exact', confidence: '0.9' });
    }
    expect(server.bill().map(({ audio }) => audio)).toEqual(['gs://folder/in/recording']);
    expect(billed).toBe(SECONDS * 1000);
    expect(await left()).toEqual([]);
  });

  it('costs for each channel that is asked for, and those keep their numbers', async () => {
    const both = await run(await inBucket(recording(100, 500), [0, 1]));
    expect(words(both.segments, 1).map(({ text }) => text)).toEqual(counted(500));
    expect(both.billed).toBe(2 * SECONDS * 1000);
    const first = await run({ ...(await inBucket(recording(100, 500))), tracks: 2 });
    expect(words(first.segments).map(({ text }) => text)).toEqual(counted(100));
    expect(first.billed).toBe(SECONDS * 1000);
  });
});

describe('sound that lies elsewhere', () => {
  it('is brought to the bucket for the call, and nothing is left of it', async () => {
    const { segments, error } = await run(elsewhere(recording(100)));
    expect(error).toBeUndefined();
    expect(words(segments).map(({ text }) => text)).toEqual(counted(100));
    expect(await left()).toEqual([]);
  });
});

describe('a call whose answer was lost', () => {
  it.each([
    ['in a bucket', () => inBucket(recording(100))],
    ['elsewhere', async () => elsewhere(recording(100))],
  ])('is made once, and can be found by what it was made with: %s', async (_, stored) => {
    server.behave({ faults: ['lose_reply'] });
    const { error, call, key } = await run(await stored());
    expect(error).toMatchObject({ code: 'unavailable' });
    expect(server.bill()).toHaveLength(1);
    expect(await call.find(key, signal)).toBe(server.bill()[0]?.operation);
    expect(await call.find(key.replace('google-', 'google-9'), signal)).toBeUndefined();
  });

  it('is found beyond the first page of others', async () => {
    server.behave({ faults: ['lose_reply'] });
    const stored = await inBucket(recording(100));
    const { call, key } = await run(stored);
    for (let n = 0; n < 110; n += 1) await call.call(`other/${n}`, signal);
    expect(await call.find(key, signal)).toBe(server.bill()[0]?.operation);
  });
});

describe('a vendor that does not answer', () => {
  it('is hung up on when nobody waits for its answer any more, and the call is found on the next connection', async () => {
    const { call } = await run(await inBucket(recording(100)));
    server.behave({ faults: ['hang_after'] });
    // Otherwise it would wait for a minute, which is longer than this test may take.
    await expect(call.call('acme/hanging', AbortSignal.timeout(300))).rejects.toThrow();
    expect(await call.find('acme/hanging', signal)).toBe(server.bill().at(-1)?.operation);
  });

  it('keeps nobody longer than they want to wait', async () => {
    const { call, key } = await run(await inBucket(recording(100)));
    server.behave({ silent: true });
    const name = server.bill()[0]?.operation ?? '';
    for (const ask of [call.poll, call.cancel, call.find]) {
      const asking = ask(ask === call.find ? key : name, AbortSignal.timeout(200));
      // Not the request's own end, which comes later and is `unavailable`.
      await expect(asking).rejects.toMatchObject({ name: 'TimeoutError' });
    }
  });

  it('is left without a connection once such a call is over', async () => {
    const proxy = await startTcpProxy(Number(server.endpoint.split(':')[1]));
    await engine.close();
    const endpoint = `127.0.0.1:${proxy.port}`;
    engine = createGoogleEngine({ access: { projectId: 'p', endpoint }, staging: storage });
    const { call } = await run(await inBucket(recording(100)));
    expect(proxy.connections()).toBeGreaterThan(0);
    server.behave({ faults: ['hang_after'] });
    await expect(call.call('acme/hanging', AbortSignal.timeout(300))).rejects.toThrow();
    await eventually('the connections to close', async () => proxy.connections() === 0);
    await proxy.close();
  });

  it('since it was asked too often says when to ask again, and the operation goes on', async () => {
    const { call, key } = await run(await inBucket(recording(100)));
    const name = server.bill()[0]?.operation ?? '';
    server.behave({ busy: true, retryAfterMs: 3_000 });
    const refused = { code: 'quota_exceeded', retryAfterMs: 3_000 };
    await expect(call.poll(name, signal)).rejects.toMatchObject(refused);
    await expect(call.find(key, signal)).rejects.toMatchObject(refused);
    server.behave({ busy: false });
    expect(await call.find(key, signal)).toBe(name);
    expect(server.bill()).toHaveLength(1);
  });

  it('that has forgotten an operation leaves a person to decide', async () => {
    const { call } = await run(await inBucket(recording(100)));
    const old = await call.poll('projects/p/locations/us/operations/old', signal);
    expect(old).toMatchObject({ state: 'failed', error: { code: 'unclear_call' } });
  });
});

describe('what fails', () => {
  it('is classed by who is to blame, at all three layers', async () => {
    const stored = await inBucket(recording(100));
    const codeOf = async (fault: Parameters<typeof server.behave>[0]) => {
      server.behave(fault);
      return (await run(stored)).error?.code;
    };
    expect(await codeOf({ faults: ['refuse'] })).toBe('unsupported');
    for (const layer of ['operation', 'file'] as const) {
      const late = (name: keyof typeof grpc.status) => codeOf({ faults: [`${layer} ${name}`] });
      expect(await late('INTERNAL')).toBe('engine_error');
      expect(await late('UNAVAILABLE')).toBe('engine_error');
      expect(await late('PERMISSION_DENIED')).toBe('engine_error');
      expect(await late('INVALID_ARGUMENT')).toBe('unsupported');
      expect(await late('NOT_FOUND')).toBe('missing_object');
      expect(await late('RESOURCE_EXHAUSTED')).toBe('quota_exceeded');
    }
    expect(await codeOf({ faults: ['no_model'] })).toBe('unavailable');
    expect(await codeOf({ faults: ['drop'] })).toBe('unavailable');
    await server.close();
    expect((await run(stored)).error?.code).toBe('unavailable');
  });

  it('says when to come back, when the quota is used up', async () => {
    server.behave({ faults: ['quota'], retryAfterMs: 7_000 });
    const { error } = await run(await inBucket(recording(100)));
    expect(error).toMatchObject({ code: 'quota_exceeded', retryAfterMs: 7_000 });
    expect(server.bill()).toEqual([]);
  });
});
