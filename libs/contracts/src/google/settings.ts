import Type, { type Static } from 'typebox';
import { settings } from '../settings.ts';
import { parseGoogleCredentials } from './credentials.ts';

/** How the engine `google` is reached and what is asked of it. */
export const googleSettings = {
  GOOGLE_PROJECT_ID: settings.GOOGLE_PROJECT_ID,
  GOOGLE_APPLICATION_CREDENTIALS_JSON: settings.GOOGLE_APPLICATION_CREDENTIALS_JSON,
  EARSHOT_GOOGLE_MODEL: settings.EARSHOT_GOOGLE_MODEL,
  EARSHOT_GOOGLE_LOCATION: settings.EARSHOT_GOOGLE_LOCATION,
  EARSHOT_GOOGLE_LANGUAGE: settings.EARSHOT_GOOGLE_LANGUAGE,
  EARSHOT_GOOGLE_WORD_TIMES: settings.EARSHOT_GOOGLE_WORD_TIMES,
  EARSHOT_GOOGLE_STAGING_URL: settings.EARSHOT_GOOGLE_STAGING_URL,
  EARSHOT_GOOGLE_SPEECH_ENDPOINT: settings.EARSHOT_GOOGLE_SPEECH_ENDPOINT,
};
const GoogleSettingsSchema = Type.Object(googleSettings);
export type GoogleConfig = Static<typeof GoogleSettingsSchema>;

/** Where recordings are kept and read, and as whom a bucket is asked. */
export const storageSettings = {
  EARSHOT_STORAGE_URL: settings.EARSHOT_STORAGE_URL,
  GOOGLE_PROJECT_ID: settings.GOOGLE_PROJECT_ID,
  GOOGLE_APPLICATION_CREDENTIALS_JSON: settings.GOOGLE_APPLICATION_CREDENTIALS_JSON,
  EARSHOT_GOOGLE_STORAGE_ENDPOINT: settings.EARSHOT_GOOGLE_STORAGE_ENDPOINT,
  EARSHOT_BUCKETS_FILE: settings.EARSHOT_BUCKETS_FILE,
  EARSHOT_GOOGLE_STAGING_URL: settings.EARSHOT_GOOGLE_STAGING_URL,
};
const StorageSettingsSchema = Type.Object(storageSettings);
export type StorageConfig = Static<typeof StorageSettingsSchema>;

/** What is wrong with the settings of Google, a line each, without a secret. */
export function googleProblems(config: Readonly<Record<string, unknown>>): string[] {
  const { GOOGLE_APPLICATION_CREDENTIALS_JSON: json } = config;
  if (typeof json !== 'string') return [];
  try {
    parseGoogleCredentials(json);
    return [];
  } catch (error) {
    return [`GOOGLE_APPLICATION_CREDENTIALS_JSON is not usable: ${(error as Error).message}`];
  }
}
