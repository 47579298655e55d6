import type { NatsError } from 'nats';
import type { BrokerAuth, Secret } from './auth.ts';

const named = (setting: string, secret: Secret) => (typeof secret === 'string' ? setting : `${setting}_FILE`);

/** The settings that `auth` came from, for people who look for the wrong one. */
function credentialsOf({ creds, token, user, password }: BrokerAuth): string | undefined {
  if (creds) return 'NATS_CREDS';
  if (token) return named('NATS_TOKEN', token);
  if (user) return `${named('NATS_USER', user)} and ${named('NATS_PASSWORD', password ?? '')}`;
  return undefined;
}

/** What the server's own words, Node's codes and OpenSSL's alerts mean here; the first that fits. */
const TLS_FAULTS: readonly (readonly [RegExp, string])[] = [
  [/ALTNAME/, "the server's certificate is for another name than the one in NATS_URL"],
  [
    /ALERT_(CERTIFICATE|BAD_CERT|UNKNOWN_CA|HANDSHAKE)/,
    'the server refuses our certificate: check NATS_TLS_CERT and NATS_TLS_KEY',
  ],
  [
    /WRONG_VERSION_NUMBER|PACKET_LENGTH/,
    'the server does not begin with TLS: check NATS_TLS_HANDSHAKE_FIRST',
  ],
  [
    /SELF_SIGNED|UNABLE_TO|LEAF_SIGNATURE|EXPIRED|NOT_YET_VALID/,
    "the server's certificate is not trusted: check NATS_TLS_CA",
  ],
  [/SERVER_OPT_NA/, 'the server offers no TLS: check NATS_URL and NATS_TLS_CA'],
  [/TLS|CERT|SSL|ERR_OSSL|PEM/i, 'TLS failed: check NATS_TLS_CA, NATS_TLS_CERT and NATS_TLS_KEY'],
];

/** Which setting names the file that cannot be read. */
function unreadable(path: string, { creds, token, user, password }: BrokerAuth): string {
  const files = { NATS_TOKEN_FILE: token, NATS_USER_FILE: user, NATS_PASSWORD_FILE: password };
  const isPath = (secret: Secret | undefined) => typeof secret === 'object' && secret.file === path;
  const setting = creds === path ? 'NATS_CREDS' : Object.entries(files).find(([, file]) => isPath(file))?.[0];
  return `the file of ${setting} cannot be read`;
}

/** What to do about a refused connection, in one line for the log; names settings, never what they hold. */
export function connectionHint(error: unknown, auth: BrokerAuth = {}): string {
  const { code = '', path } = error as NodeJS.ErrnoException;
  if (path && /^E(NOENT|ACCES|ISDIR|PERM)$/.test(code)) return unreadable(path, auth);
  if (/AUTH|PERMISSIONS|CREDS|ACCOUNT_EXPIRED/.test(code)) {
    const used = credentialsOf(auth);
    return used
      ? `the server refuses our credentials: check ${used}`
      : 'the server wants credentials: set NATS_CREDS, NATS_TOKEN or NATS_USER and NATS_PASSWORD';
  }
  const words = `${code} ${String(error)} ${String((error as NatsError).chainedError ?? '')}`;
  const fault = TLS_FAULTS.find(([pattern]) => pattern.test(words));
  if (fault) return fault[1];
  return code === 'TIMEOUT' || /undefined error|ECONNRESET/.test(words)
    ? 'the server takes the connection and says nothing: see whether it is well, wants a certificate (NATS_TLS_CERT, NATS_TLS_KEY) or begins with TLS (NATS_TLS_HANDSHAKE_FIRST)'
    : 'nothing answers there: start nats-server or check NATS_URL';
}
