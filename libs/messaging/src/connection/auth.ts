import { readFileSync } from 'node:fs';
import {
  type Authenticator,
  type ConnectionOptions,
  credsAuthenticator,
  tokenAuthenticator,
  usernamePasswordAuthenticator,
} from 'nats';

/** A secret itself, or the path of a file with it that is read again at each connect, so that it can be rotated. */
export type Secret = string | { readonly file: string };

/**
 * How to prove who we are; at most one of creds, token and user. TLS fields are paths of PEM files, which the client
 * reads at each connect.
 */
export interface BrokerAuth {
  /** Path of a credentials file; read again at each connect. */
  readonly creds?: string | undefined;
  readonly token?: Secret | undefined;
  readonly user?: Secret | undefined;
  readonly password?: Secret | undefined;
  readonly tls?:
    | {
        readonly ca?: string | undefined;
        readonly cert?: string | undefined;
        readonly key?: string | undefined;
      }
    | undefined;
}

/** The last readable content of a file: a rotation in progress must not end a connection. Throws when there is none yet. */
function fileReader(path: string): () => string {
  let content = readFileSync(path, 'utf8').trim();
  return () => {
    try {
      content = readFileSync(path, 'utf8').trim() || content;
    } catch {
      // Keep what was read before.
    }
    return content;
  };
}

const reader = (secret: Secret): (() => string) =>
  typeof secret === 'string' ? () => secret : fileReader(secret.file);

function authenticatorOf({ creds, token, user, password }: BrokerAuth): Authenticator | undefined {
  if (creds) {
    const read = fileReader(creds);
    return credsAuthenticator(() => Buffer.from(`${read()}\n`));
  }
  if (token) return tokenAuthenticator(reader(token));
  if (user) return usernamePasswordAuthenticator(reader(user), reader(password ?? ''));
  return undefined;
}

/** The client's options for `auth`. Throws when a file that it names cannot be read. */
export function authOptions(auth: BrokerAuth): ConnectionOptions {
  const authenticator = authenticatorOf(auth);
  const { ca, cert, key } = auth.tls ?? {};
  const tls = {
    ...(ca ? { caFile: ca } : {}),
    ...(cert ? { certFile: cert } : {}),
    ...(key ? { keyFile: key } : {}),
  };
  return { ...(authenticator ? { authenticator } : {}), ...(auth.tls ? { tls } : {}) };
}
