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
  const unknown = traits.anyLanguage ? 'auto' : defaultLanguage;
  return {
    autoDecodingConfig: {},
    model,
    languageCodes: [language && language !== 'auto' ? withRegion(language) : unknown],
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

/** The models want a region: the likely one where the caller named none. */
function withRegion(language: string): string {
  const locale = new Intl.Locale(language);
  return locale.region ? locale.baseName : `${locale.language}-${locale.maximize().region ?? 'US'}`;
}
