import { CodedError } from '@earshot/domain';

interface VendorError {
  readonly code?: unknown;
  readonly status?: unknown;
  readonly message?: string;
}

const AWAY = new Set([
  ...[
    'ECONNREFUSED',
    'ECONNRESET',
    'ECONNABORTED',
    'ETIMEDOUT',
    'EPIPE',
    'ENOTFOUND',
    'EAI_AGAIN',
    'ENETUNREACH',
  ],
  ...['EHOSTUNREACH', 'ERR_STREAM_PREMATURE_CLOSE', 'ABORT_ERR'],
]);
/** The bytes that came, or arrived there, are not those that were sent. */
const CORRUPTED = new Set(['CONTENT_DOWNLOAD_MISMATCH', 'FILE_NO_UPLOAD', 'FILE_NO_UPLOAD_DELETE']);

/** The HTTP status of an answer of the store; undefined when there was none. */
export function statusOf(error: unknown): number | undefined {
  const { code, status } = error as VendorError;
  const number = Number(code ?? status);
  return number >= 100 && number < 600 ? number : undefined;
}

/** A failure of the store as a coded error. Its message names the bucket and the key, never what lets one in. */
export function gcsError(action: string, bucket: string, cause: unknown): CodedError {
  if (cause instanceof CodedError) return cause;
  const { code, message = '' } = cause as VendorError;
  const status = statusOf(cause);
  const away = (why: string) => new CodedError('unavailable', `could not ${action}: ${why}`, { cause });
  if (status === 401 || status === 403) {
    return away(`Google lets this account not do that in gs://${bucket} (${status}); see docs/storage.md`);
  }
  if (status === 404) return away(`there is no bucket gs://${bucket}`);
  if (status === 408 || status === 429 || (status ?? 0) >= 500) return away(`Google answers ${status}`);
  if (isCredentialsError(`${String(code)} ${message}`))
    return away('there are no usable credentials of Google Cloud');
  if (AWAY.has(String(code)) || /socket hang up|network|premature close/i.test(message)) {
    return away(`Google Cloud Storage cannot be reached (${String(code ?? 'connection lost')})`);
  }
  if (CORRUPTED.has(String(code))) {
    return new CodedError('storage_error', `could not ${action}: the bytes were changed on the way`, {
      cause,
    });
  }
  return new CodedError('storage_error', `could not ${action} (${String(code ?? 'unknown error')})`, {
    cause,
  });
}

const isCredentialsError = (message: string) =>
  /could not load the default credentials|invalid_grant|invalid_client|unable to detect a project id|^ERR_OSSL/i.test(
    message,
  );

/** There is no object under `key`. */
export const missing = (key: string) => new CodedError('missing_object', `there is no object ${key}`);
