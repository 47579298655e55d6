import { CodedError, errorTable, type Segment } from '@earshot/domain';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { PaidCall } from '../paid-call.ts';
import type { EngineContext, EngineInput, Heard, SpeechEngine } from '../speech-engine.ts';
import { plainLedger } from './plain-ledger.ts';

/** What an engine needs for the suite. `create` is called once per test; the suite closes what it gets. */
export interface ConformanceSetup {
  create(): Promise<SpeechEngine>;
  /** A recording with speech on channel 0, ten seconds or longer, within the engine's longest chunk. */
  speech(): Promise<EngineInput>;
  /** The same of recordings in which nobody speaks. Default: three seconds of silence, and no samples at all. */
  silences?(): Promise<readonly EngineInput[]>;
  /** Each makes the next call of an engine fail in its way; a local engine has none. */
  readonly failures?: Readonly<Partial<Record<FailureKind, () => Promise<void>>>>;
  /** What calls that are over left anywhere, besides the words they gave. Default: nothing can be left. */
  left?(): Promise<readonly string[]>;
}

/**
 * What must come of a failure: another attempt, a pause as long as the vendor wants, or an end, for which the caller is to
 * blame (a sound or a wish that no attempt will serve) or nobody who could help it.
 */
export type FailureKind = 'transient' | 'quota' | 'permanent' | 'caller';

/** How soon an engine must let go of what nobody waits for. */
const ABORT_MS = 1_000;

/** Behaviour that callers rely on, whichever engine runs. Call it at the top of an engine's test file. */
export function engineConformance(name: string, setup: ConformanceSetup): void {
  describe(`${name} as a speech engine`, () => {
    let engine: SpeechEngine;
    beforeEach(async () => {
      engine = await setup.create();
    });
    afterEach(() => engine.close());

    it('yields text with times that increase and stay inside the chunk', async () => {
      const input = await setup.speech();
      const { segments, heard } = await collect(engine, input);
      expect(segments.length).toBeGreaterThan(0);
      expectTimes(segments, input.duration_ms);
      for (const segment of segments) expectTimes(segment.words, segment.end_ms, segment.start_ms);
      expect(heard.map(({ channel }) => channel)).toEqual(channelsOf(input));
      for (const { speech_ms, transcribed_ms } of heard)
        expect(transcribed_ms).toBeLessThanOrEqual(speech_ms);
    });

    it('yields nothing for silence and for no samples at all, and says that it heard nothing', async () => {
      for (const input of (await setup.silences?.()) ?? silentSamples()) {
        const { segments, heard } = await collect(engine, input);
        expect(segments).toEqual([]);
        expect(heard).toEqual([{ channel: 0, speech_ms: 0, transcribed_ms: 0 }]);
      }
    });

    it('ends within a second of an abort', async () => {
      const abort = new AbortController();
      let aborted = 0;
      const stop = () => {
        aborted ||= performance.now();
        abort.abort(new CodedError('timeout'));
      };
      const work = collect(engine, await setup.speech(), { signal: abort.signal, heartbeat: stop });
      await expect(work).rejects.toMatchObject({ code: 'timeout' });
      expect(performance.now() - aborted).toBeLessThan(ABORT_MS);
    });

    it('does nothing when it is aborted before it starts', async () => {
      const signal = AbortSignal.abort(new CodedError('timeout'));
      await expect(collect(engine, await setup.speech(), { signal })).rejects.toMatchObject({
        code: 'timeout',
      });
    });

    it('refuses a language it does not know, and takes any where it says so', async () => {
      const work = collect(engine, await setup.speech(), {}, 'tlh');
      if (engine.capabilities.languages === 'any') await expect(work).resolves.toBeDefined();
      else expectKind('caller', await work.catch((thrown: unknown) => thrown));
    });

    it('takes a language that is none for a mistake of the caller, before anything is paid for', async () => {
      const calls: unknown[] = [];
      const ledger = {
        pay: async <Result>(call: PaidCall<Result>): Promise<Result> => {
          calls.push(call);
          throw new Error('a call that nobody can serve was paid for');
        },
      };
      const work = collect(engine, await setup.speech(), { ledger }, '!');
      const error = await work.catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ code: 'unsupported_language' });
      expectKind('caller', error);
      expect(calls).toEqual([]);
    });

    it.each(Object.entries(setup.failures ?? {}))(
      'says that a failure is of the kind %s, and goes on with the next call',
      async (kind, fail) => {
        await fail();
        const error = await collect(engine, await setup.speech()).catch((thrown: unknown) => thrown);
        expectKind(kind as FailureKind, error);
        await expect(collect(engine, await setup.speech())).resolves.toBeDefined();
      },
    );

    it('leaves nothing behind', async () => {
      await collect(engine, await setup.speech());
      await engine.close();
      expect((await setup.left?.()) ?? []).toEqual([]);
    });

    it('can be closed twice', async () => {
      await engine.close();
      await engine.close();
    });
  });
}

function expectKind(kind: FailureKind, error: unknown): void {
  expect(error).toBeInstanceOf(CodedError);
  const { code, class: found, retryAfterMs } = error as CodedError;
  if (kind === 'quota') {
    expect(code).toBe('quota_exceeded');
    expect(retryAfterMs).toBeGreaterThan(0);
    return;
  }
  expect([code, found]).toEqual([code, kind === 'transient' ? 'transient' : 'permanent']);
  const { status } = errorTable[code];
  expect([code, status < 500 ? 'caller' : 'not the caller']).toEqual([
    code,
    kind === 'caller' ? 'caller' : 'not the caller',
  ]);
}

const channelsOf = ({ channels, stored }: EngineInput) =>
  stored?.channels ?? channels.map(({ channel }) => channel);

const silentSamples = (): EngineInput[] =>
  [48_000, 0].map((length) => ({
    channels: [{ channel: 0, samples: new Int16Array(length) }],
    duration_ms: length / 16,
  }));

async function collect(
  engine: SpeechEngine,
  input: EngineInput,
  context: Partial<EngineContext> = {},
  language?: string,
): Promise<{ segments: Segment[]; heard: Heard[] }> {
  const segments: Segment[] = [];
  const heard: Heard[] = [];
  const { signal = new AbortController().signal, heartbeat = () => undefined } = context;
  const { ledger = plainLedger(signal, heartbeat) } = context;
  const full = { signal, heartbeat, ledger, heard: (one: Heard) => heard.push(one) };
  for await (const segment of engine.transcribe(input, { language }, full)) segments.push(segment);
  return { segments, heard };
}

function expectTimes(timed: readonly { start_ms: number; end_ms: number }[], end: number, start = 0): void {
  let before = start;
  for (const { start_ms, end_ms } of timed) {
    expect(Number.isInteger(start_ms) && Number.isInteger(end_ms)).toBe(true);
    expect(start_ms).toBeGreaterThanOrEqual(before);
    expect(end_ms).toBeGreaterThan(start_ms);
    before = end_ms;
  }
  expect(before).toBeLessThanOrEqual(end);
}
