import { CodedError } from '@earshot/domain';

const FULL = new Set(['ENOSPC', 'EDQUOT']);
/** What a network file system says while its server is away. */
const AWAY = new Set([
  'EIO',
  'ESTALE',
  'ENOTCONN',
  'ETIMEDOUT',
  'EHOSTDOWN',
  'EHOSTUNREACH',
  'ENODEV',
  'ENXIO',
  'EROFS',
]);
/** The key names a folder, lies under a file, or is longer than a file name may be. */
const IMPOSSIBLE = new Set(['ENOTDIR', 'EISDIR', 'ENAMETOOLONG']);
const ABSENT = new Set(['ENOENT', ...IMPOSSIBLE]);

/** The `code` of a system error, `''` of any other. */
export function errnoOf(error: unknown): string {
  const code = (error as NodeJS.ErrnoException | null)?.code;
  return typeof code === 'string' ? code : '';
}

/** True when a failed read means that there is no such object. */
export const isAbsent = (error: unknown) => ABSENT.has(errnoOf(error));

/** A system error as a coded one. Its message carries the key, never a path of this machine; `cause` has that. */
export function storageError(action: string, key: string, cause: unknown): CodedError {
  if (cause instanceof CodedError) return cause;
  const errno = errnoOf(cause);
  if (FULL.has(errno)) return new CodedError('storage_full', `no room to ${action} ${key}`, { cause });
  if (AWAY.has(errno)) return new CodedError('unavailable', `the store does not work (${errno})`, { cause });
  if (errno === 'ELOOP') return leavesRoot(key);
  if (IMPOSSIBLE.has(errno)) {
    return new CodedError('forbidden_key', `a folder cannot ${action} ${key} (${errno})`, { cause });
  }
  return new CodedError('storage_error', `could not ${action} ${key} (${errno || 'unknown error'})`, {
    cause,
  });
}

/** The key passes through a link to somewhere else. */
export const leavesRoot = (key: string) =>
  new CodedError('forbidden_key', `the storage key ${key} leads out of the store`);

/** There is no object under `key`. */
export const missing = (key: string) => new CodedError('missing_object', `there is no object ${key}`);
