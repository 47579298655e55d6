import { CodedError, type Segment } from '@earshot/domain';
import type { EngineContext, EngineInput, EngineOptions, SpeechEngine } from './speech-engine.ts';
import { engineConformance } from './testing/conformance.ts';

const SECOND = 16_000;

/** The smallest engine there can be: calls every second with sound in it "beep". It shows what the port asks for. */
class BeepEngine implements SpeechEngine {
  readonly name = 'beep';
  readonly model = 'none';
  readonly capabilities = {
    languages: ['en'],
    wordTimes: 'none',
    diarization: false,
    wholeRecording: false,
    input: 'samples',
    maxChunkMs: 75_000,
    runs: 'parent',
    billing: 'free',
  } as const;

  async *transcribe(
    input: EngineInput,
    options: EngineOptions,
    context: EngineContext,
  ): AsyncIterable<Segment> {
    if (options.language && options.language !== 'en') throw new CodedError('unsupported_language');
    for (const { channel, samples } of input.channels) {
      let speech_ms = 0;
      for (let second = 0; (second + 1) * SECOND <= samples.length; second++) {
        context.signal.throwIfAborted();
        context.heartbeat();
        if (!samples.subarray(second * SECOND, (second + 1) * SECOND).some((sample) => sample !== 0))
          continue;
        speech_ms += 1000;
        const times = { start_ms: second * 1000, end_ms: second * 1000 + 1000 };
        yield { ...times, text: 'beep', channel, speaker: null, words: [] };
      }
      context.heard({ channel, speech_ms, transcribed_ms: speech_ms });
    }
  }

  async close(): Promise<void> {}
}

engineConformance('an engine that only says beep', {
  create: async () => new BeepEngine(),
  speech: async () => ({
    channels: [{ channel: 0, samples: new Int16Array(12 * SECOND).fill(1000) }],
    duration_ms: 12_000,
  }),
});
