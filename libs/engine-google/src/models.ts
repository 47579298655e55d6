/** What a model of Speech-to-Text takes and gives; durations are minutes of one batch file. */
export interface GoogleModel {
  readonly longestMinutes: number;
  /** The same when times of words are wanted. */
  readonly longestWithWordsMinutes: number;
  readonly diarization: boolean;
  /** Takes phrases it should expect. */
  readonly phrases: boolean;
  /** Finds out the language by itself. */
  readonly anyLanguage: boolean;
}

const EIGHT_HOURS = 480;

/** The models this engine knows; https://cloud.google.com/speech-to-text/v2/docs/transcription-model, and /quotas. */
export const googleModels = {
  chirp_3: {
    longestMinutes: 60,
    longestWithWordsMinutes: 20,
    diarization: true,
    phrases: true,
    anyLanguage: true,
  },
  chirp_2: {
    longestMinutes: EIGHT_HOURS,
    longestWithWordsMinutes: EIGHT_HOURS,
    diarization: false,
    phrases: true,
    anyLanguage: true,
  },
  long: {
    longestMinutes: EIGHT_HOURS,
    longestWithWordsMinutes: EIGHT_HOURS,
    diarization: false,
    phrases: true,
    anyLanguage: false,
  },
  telephony: {
    longestMinutes: EIGHT_HOURS,
    longestWithWordsMinutes: EIGHT_HOURS,
    diarization: false,
    phrases: true,
    anyLanguage: false,
  },
} as const satisfies Record<string, GoogleModel>;

export type GoogleModelName = keyof typeof googleModels;
