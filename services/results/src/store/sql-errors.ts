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

/** What Node, OpenSSL, pg and PostgreSQL say when the settings are wrong, and which; the first that fits. */
const WRONG_SETTING: readonly (readonly [RegExp, string])[] = [
  [/ALTNAME/, "the database's certificate is for another host: check the host and sslmode in DATABASE_URL"],
  [
    /ALERT_(CERTIFICATE|BAD_CERT|UNKNOWN_CA|HANDSHAKE)/,
    'the database refuses our certificate: check sslcert and sslkey in DATABASE_URL',
  ],
  [
    /SELF_SIGNED|UNABLE_TO_|LEAF_SIGNATURE|CERT_|ERR_TLS|ERR_SSL|ERR_OSSL/,
    "the database's certificate is not trusted: check sslrootcert in DATABASE_URL",
  ],
  [/does not support SSL|establishing an SSL/, 'the database offers no TLS: check sslmode in DATABASE_URL'],
  [/^28/, 'the database refuses us: check user, password, sslmode and sslcert in DATABASE_URL'],
  [/^3D000/, 'there is no such database: check the name in DATABASE_URL'],
];

function wrongSetting(error: unknown): string | undefined {
  const code = String((error as { code?: unknown } | null)?.code ?? '');
  const words = `${code} ${error instanceof Error ? error.message : ''}`;
  return WRONG_SETTING.find(([pattern]) => pattern.test(words))?.[1];
}

/** True when PostgreSQL cannot be asked just now. */
function isUnavailable(error: unknown): boolean {
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
  const wrong = wrongSetting(error);
  if (wrong === undefined && !isUnavailable(error)) return error;
  return new CodedError('unavailable', wrong ?? 'the database is not reachable', { cause: error });
}
