import { CodedError } from '@earshot/domain';
import type { EngineCapabilities, SpeechEngine } from '@earshot/engine';
import type { ObjectStorage } from '@earshot/storage';
import { batchCall } from './batch-call.ts';
import { type GoogleAccess, SpeechConnection } from './connection.ts';
import { type GoogleModel, type GoogleModelName, googleModels } from './models.ts';
import { READABLE } from './readable.ts';
import { localeOf } from './request.ts';
import { Staging } from './staging.ts';

/** How the engine is made. */
export interface GoogleEngineOptions {
  readonly access: GoogleAccess;
  /** Default `us`. */
  readonly location?: string | undefined;
  /** Default `chirp_3`. */
  readonly model?: GoogleModelName | undefined;
  /** Default true; without them chirp_3 takes three times as much at once. */
  readonly wordTimes?: boolean | undefined;
  /** For recordings that name none, where the model does not find out by itself. Default `en-US`. */
  readonly defaultLanguage?: string | undefined;
  /**
   * A bucket of ours, for sound that lies elsewhere and for long texts. It must know the addresses of its objects. The caller
   * closes it.
   */
  readonly staging?: ObjectStorage | undefined;
}

/** Speech-to-Text v2: one batch for each chunk, or whole recording, paid for through the ledger. */
export function createGoogleEngine(options: GoogleEngineOptions): SpeechEngine {
  const { access, location = 'us', model = 'chirp_3', wordTimes = true, defaultLanguage = 'en-US' } = options;
  const traits: GoogleModel = googleModels[model];
  const connection = new SpeechConnection(access, location);
  const staging = new Staging(options.staging);
  const parent = `projects/${access.projectId}/locations/${location}`;
  const settings = { parent, model, traits, wordTimes, defaultLanguage };
  return {
    name: 'google',
    model,
    capabilities: capabilitiesOf(traits, wordTimes),
    async *transcribe({ stored, duration_ms }, wishes, context) {
      context.signal.throwIfAborted();
      if (!stored) throw new CodedError('internal', 'Google reads stored sound, and was given samples');
      // A call that cannot be written down would be claimed, and then looked for as if it had been lost.
      localeOf(wishes.language);
      const parts = { connection, staging, settings, stored, durationMs: duration_ms, options: wishes };
      const { segments, left } = await context.ledger.pay(batchCall(parts));
      await staging.clear(left);
      for (const channel of stored.channels) {
        const spoken = segments.filter((segment) => segment.channel === channel);
        yield* spoken;
        const speech_ms = spoken.reduce((sum, { start_ms, end_ms }) => sum + end_ms - start_ms, 0);
        context.heard({ channel, speech_ms, transcribed_ms: speech_ms });
      }
    },
    close: () => connection.cut(),
  };
}

const capabilitiesOf = (traits: GoogleModel, wordTimes: boolean): EngineCapabilities => ({
  languages: 'any',
  wordTimes: wordTimes ? 'exact' : 'none',
  diarization: traits.diarization,
  wholeRecording: true,
  input: 'reference',
  readable: READABLE,
  maxChunkMs: (wordTimes ? traits.longestWithWordsMinutes : traits.longestMinutes) * 60_000,
  runs: 'parent',
  billing: 'lookup',
});
