import { CodedError } from '@earshot/domain';

/** The SQLSTATE of an error that came from PostgreSQL. */
export function sqlState(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) ? code : undefined;
}

/** True when the data itself is refused (class 22, data exception, or 23, constraint): trying again cannot help. */
export function isBadData(error: unknown): boolean {
  return /^2[23]/.test(sqlState(error) ?? '');
}

/** Connection lost (08), out of connections, memory or disk (53), canceled or shutting down (57). */
const UNAVAILABLE_STATE = /^(08|53|57)/;
const UNAVAILABLE_MESSAGE =
  /timeout exceeded when trying to connect|Connection terminated|Client has encountered a connection error|not queryable|after calling end on the pool/;
const UNAVAILABLE_CODES = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'ENOTFOUND',
  'EAI_AGAIN',
]);

/** True when PostgreSQL cannot be asked just now. */
export function isUnavailable(error: unknown): boolean {
  const code = String((error as { code?: unknown } | null)?.code ?? '');
  const message = error instanceof Error ? error.message : '';
  return (
    UNAVAILABLE_CODES.has(code) ||
    UNAVAILABLE_STATE.test(sqlState(error) ?? '') ||
    UNAVAILABLE_MESSAGE.test(message)
  );
}

const DISK_FULL = '53100';

/** Turns trouble with the database into `unavailable` or `storage_full`; every other error comes back as it is. */
export function asUnavailable(error: unknown): unknown {
  if (sqlState(error) === DISK_FULL) {
    return new CodedError('storage_full', 'the volume of the database is full: give it room', {
      cause: error,
    });
  }
  if (!isUnavailable(error)) return error;
  return new CodedError('unavailable', 'the database is not reachable', { cause: error });
}
