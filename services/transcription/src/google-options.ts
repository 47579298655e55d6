import { type GoogleConfig, parseGoogleCredentials } from '@earshot/contracts';
import type { GoogleModelName, OpenGoogleOptions } from '@earshot/engine-google';
import type { ObjectStorage } from '@earshot/storage';

/** The engine's options from the settings. Without a `staging` bucket it has `storage`, where Google can read that. */
export function googleOptions(
  config: GoogleConfig,
  storage: ObjectStorage,
  staging: ObjectStorage | undefined,
): OpenGoogleOptions {
  const json = config.GOOGLE_APPLICATION_CREDENTIALS_JSON;
  return {
    access: {
      projectId: config.GOOGLE_PROJECT_ID,
      credentials: json === undefined ? undefined : parseGoogleCredentials(json),
      endpoint: config.EARSHOT_GOOGLE_SPEECH_ENDPOINT,
    },
    // The setting's pattern is this table's names.
    model: config.EARSHOT_GOOGLE_MODEL as GoogleModelName,
    location: config.EARSHOT_GOOGLE_LOCATION,
    wordTimes: config.EARSHOT_GOOGLE_WORD_TIMES === 'yes',
    defaultLanguage: config.EARSHOT_GOOGLE_LANGUAGE,
    staging: staging ?? (storage.addressOf ? storage : undefined),
  };
}
