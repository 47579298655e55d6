/**
 * Whose fault an error is, and what follows from it:
 * `transient` is retried, `permanent` gives up, `caller` is answered to the caller and never retried, `ours` is a bug.
 */
export type ErrorClass = 'transient' | 'permanent' | 'caller' | 'ours';

interface ErrorEntry {
  readonly class: ErrorClass;
  /** HTTP status of a problem document with this code. */
  readonly status: number;
  readonly title: string;
  /** What the reader can do about it. */
  readonly help: string;
}

/** Every error Earshot answers with or stores. `docs/errors.md` is generated from it. */
export const errorTable = {
  // The recording
  empty_file: {
    class: 'permanent',
    status: 422,
    title: 'The recording has no bytes',
    help: 'Send the recording again; the upload was empty.',
  },
  empty_audio: {
    class: 'permanent',
    status: 422,
    title: 'The recording holds no audio samples',
    help: 'The container is valid but carries no sound; check the recorder.',
  },
  not_audio: {
    class: 'permanent',
    status: 422,
    title: 'The bytes are not an audio or video recording',
    help: 'Send wav, mp3, m4a, flac, ogg, webm, mp4, amr, aiff or asf.',
  },
  no_audio_stream: {
    class: 'permanent',
    status: 422,
    title: 'The recording has no audio track',
    help: 'Send a recording with sound.',
  },
  unsupported: {
    class: 'permanent',
    status: 422,
    title: 'The format of the recording is not supported',
    help: 'Convert it to wav, mp3, m4a, flac, ogg or webm. Playlists are refused on purpose.',
  },
  corrupt: {
    class: 'permanent',
    status: 422,
    title: 'The recording is damaged',
    help: 'Upload it again; it could not be decoded.',
  },
  too_long: {
    class: 'permanent',
    status: 422,
    title: 'The recording is longer than allowed',
    help: 'Cut it, or raise EARSHOT_MAX_RECORDING_HOURS.',
  },
  too_large: {
    class: 'permanent',
    status: 413,
    title: 'The recording is larger than allowed',
    help: 'Compress it, or raise EARSHOT_MAX_RECORDING_MB.',
  },
  too_many_channels: {
    class: 'permanent',
    status: 422,
    title: 'The recording has too many channels',
    help: 'Send at most 8 channels.',
  },
  missing_object: {
    class: 'permanent',
    status: 422,
    title: 'There is no object at the given address',
    help: 'Store the recording before publishing its upload event, and check the key.',
  },
  recording_changed: {
    class: 'permanent',
    status: 422,
    title: 'The recording was replaced after it was accepted',
    help: 'Publish an upload event with an id of its own for the new recording; parts of two are never mixed.',
  },
  // The request or event
  invalid_request: {
    class: 'caller',
    status: 400,
    title: 'The request is not valid',
    help: 'See `errors` for each field.',
  },
  invalid_event: {
    class: 'permanent',
    status: 422,
    title: 'The upload event is not valid',
    help: 'Compare it with docs/upload-event.schema.json.',
  },
  unsupported_uri: {
    class: 'permanent',
    status: 422,
    title: 'This kind of address is not supported',
    help: 'Give a storage key under the tenant or a gs: address, or upload the bytes.',
  },
  forbidden_key: {
    class: 'permanent',
    status: 403,
    title: 'The storage key lies outside the tenant',
    help: 'Keys must start with the tenant and hold no dot segments.',
  },
  forbidden_bucket: {
    class: 'permanent',
    status: 403,
    title: 'The bucket is not one of the tenant',
    help: 'Add the bucket, or the folder in it, to the tenant in EARSHOT_BUCKETS_FILE.',
  },
  unknown_engine: {
    class: 'permanent',
    status: 422,
    title: 'No such engine is installed',
    help: 'Choose one of EARSHOT_ENGINES.',
  },
  unsupported_language: {
    class: 'permanent',
    status: 422,
    title: 'The engine does not know this language',
    help: 'The default model is English only; configure another model or engine.',
  },
  idempotency_conflict: {
    class: 'caller',
    status: 422,
    title: 'The same Idempotency-Key was used with another body',
    help: 'Use a new key for a new recording.',
  },
  not_found: {
    class: 'caller',
    status: 404,
    title: 'There is nothing at this address',
    help: "Check the id; other tenants' transcripts are not visible.",
  },
  gone: {
    class: 'caller',
    status: 410,
    title: 'The transcript was deleted',
    help: 'Submit the recording again under a new key.',
  },
  conflict: {
    class: 'caller',
    status: 409,
    title: 'The transcript is not in a state that allows this',
    help: 'Read the transcript and try again.',
  },
  unauthorized: {
    class: 'caller',
    status: 401,
    title: 'An API key is required',
    help: 'Send `Authorization: Bearer <key>`.',
  },
  forbidden: {
    class: 'caller',
    status: 403,
    title: 'The API key does not allow this',
    help: 'Use a key with the needed scope.',
  },
  method_not_allowed: {
    class: 'caller',
    status: 405,
    title: 'The method is not allowed here',
    help: 'See /openapi.json.',
  },
  unsupported_media_type: {
    class: 'caller',
    status: 415,
    title: 'The content type is not supported here',
    help: 'Use multipart/form-data or application/json.',
  },
  // The system
  unavailable: {
    class: 'transient',
    status: 503,
    title: 'A dependency is not reachable',
    help: 'Repeat the request with the same Idempotency-Key.',
  },
  storage_full: {
    class: 'transient',
    status: 503,
    title: 'The store is full',
    help: 'Repeat later with the same Idempotency-Key; work in progress makes room.',
  },
  storage_error: {
    class: 'transient',
    status: 503,
    title: 'The object store did not answer as expected',
    help: 'It is retried.',
  },
  timeout: {
    class: 'transient',
    status: 504,
    title: 'The work took too long',
    help: 'It is retried; see TASK_TIME_LIMIT.',
  },
  worker_crashed: {
    class: 'transient',
    status: 500,
    title: 'The child process doing the work ended unexpectedly',
    help: 'It is retried; the evidence is in the dead letter.',
  },
  out_of_memory: {
    class: 'transient',
    status: 500,
    title: 'The child process was ended for using too much memory',
    help: 'It is retried; see EARSHOT_WORKER_MEMORY_LIMIT_MB.',
  },
  lost_text: {
    class: 'transient',
    status: 500,
    title: 'Speech was heard but the engine returned no text',
    help: 'It is retried with smaller windows.',
  },
  quota_exceeded: {
    class: 'transient',
    status: 503,
    title: 'The quota of the engine is used up',
    help: 'The work waits and goes on by itself, without an attempt burnt; see EARSHOT_MAX_ACK_PENDING.',
  },
  over_budget: {
    class: 'permanent',
    status: 422,
    title: 'One call would cost more than the budget of a day',
    help: 'Raise EARSHOT_GOOGLE_DAILY_BUDGET_MINUTES, then replay the dead letter; a budget that is only used up waits.',
  },
  unclear_call: {
    class: 'permanent',
    status: 502,
    title: 'Nobody can tell whether paid calls were made',
    help: "Compare the time with the vendor's bill, then replay the dead letter.",
  },
  engine_error: { class: 'transient', status: 502, title: 'The engine failed', help: 'It is retried.' },
  unreadable_message: {
    class: 'permanent',
    status: 500,
    title: 'A message could not be read',
    help: 'See the dead letter; its payload does not match its schema.',
  },
  unreadable_result: {
    class: 'permanent',
    status: 500,
    title: 'A finished result can no longer be read',
    help: 'Retry the transcript.',
  },
  internal: {
    class: 'ours',
    status: 500,
    title: 'Something went wrong on our side',
    help: 'Report it with the request id.',
  },
} as const satisfies Record<string, ErrorEntry>;

/** The name of an error; part of every public contract, never renamed. */
export type ErrorCode = keyof typeof errorTable;

/** True when `code` is in the table. */
export function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(errorTable, code);
}
