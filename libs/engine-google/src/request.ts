import { CodedError } from '@earshot/domain';
import type { EngineOptions, StoredAudio } from '@earshot/engine';
import type { protos } from '@google-cloud/speech';
import type { GoogleModel } from './models.ts';

type BatchRequest = protos.google.cloud.speech.v2.IBatchRecognizeRequest;
type Config = protos.google.cloud.speech.v2.IRecognitionConfig;

/** What is the same in every request of an installation. */
export interface RequestSettings {
  /** `projects/p/locations/l`. */
  readonly parent: string;
  readonly model: string;
  readonly traits: GoogleModel;
  readonly wordTimes: boolean;
  /** For recordings that name none, where the model does not find out by itself. */
  readonly defaultLanguage: string;
}

/** Where the sound is, and where the text goes; without `output` it comes with the operation. */
export interface RequestPlaces {
  readonly audio: string;
  readonly output?: string | undefined;
}

/** The request for one file. */
export function batchRequest(
  settings: RequestSettings,
  { audio, output }: RequestPlaces,
  stored: Pick<StoredAudio, 'channels'>,
  options: EngineOptions,
): BatchRequest {
  return {
    recognizer: `${settings.parent}/recognizers/_`,
    config: configOf(settings, stored, options),
    files: [{ uri: audio }],
    recognitionOutputConfig:
      output === undefined ? { inlineResponseConfig: {} } : { gcsOutputConfig: { uri: output } },
    // Half the price, within a day.
    ...(options.lane === 'low' ? { processingStrategy: 'DYNAMIC_BATCHING' as const } : {}),
  };
}

function configOf(
  { model, traits, wordTimes, defaultLanguage }: RequestSettings,
  { channels }: Pick<StoredAudio, 'channels'>,
  { language, vocabulary = [], diarization = false }: EngineOptions,
): Config {
  return {
    autoDecodingConfig: {},
    model,
    languageCodes: [localeOf(language) ?? (traits.anyLanguage ? 'auto' : defaultLanguage)],
    features: {
      enableWordTimeOffsets: wordTimes,
      enableWordConfidence: wordTimes,
      enableAutomaticPunctuation: true,
      ...(channels.length > 1 ? { multiChannelMode: 'SEPARATE_RECOGNITION_PER_CHANNEL' as const } : {}),
      ...(diarization && traits.diarization ? { diarizationConfig: {} } : {}),
    },
    ...(vocabulary.length > 0 && traits.phrases
      ? {
          adaptation: {
            phraseSets: [{ inlinePhraseSet: { phrases: vocabulary.map((value) => ({ value })) } }],
          },
        }
      : {}),
  };
}

/**
 * A language tag as the models want it, with the likely region where the caller named none; undefined for none, and `auto`.
 * Throws `unsupported_language` for what is no tag.
 */
export function localeOf(language: string | undefined): string | undefined {
  if (!language || language === 'auto') return undefined;
  const locale = parseTag(language);
  return locale.region ? locale.baseName : `${locale.language}-${locale.maximize().region ?? 'US'}`;
}

function parseTag(language: string): Intl.Locale {
  try {
    return new Intl.Locale(language);
  } catch (cause) {
    throw new CodedError('unsupported_language', `${language} is no BCP 47 tag`, { cause });
  }
}
