import { readFileSync } from 'node:fs';
import { type ConnectionOptions, credsAuthenticator } from 'nats';

/** How to prove who we are; at most one of creds, token and user. TLS fields are paths of PEM files. */
export interface BrokerAuth {
  /** Path of a credentials file; read again at each connect, so that it can be rotated while running. */
  readonly creds?: string | undefined;
  readonly token?: string | undefined;
  readonly user?: string | undefined;
  readonly password?: string | undefined;
  readonly tls?:
    | {
        readonly ca?: string | undefined;
        readonly cert?: string | undefined;
        readonly key?: string | undefined;
      }
    | undefined;
}

/** The last readable content of the credentials file: a rotation in progress must not end a connection. */
function credsReader(path: string): () => Uint8Array {
  let content: Uint8Array = readFileSync(path);
  return () => {
    try {
      content = readFileSync(path);
    } catch {
      // Keep what was read before.
    }
    return content;
  };
}

/** The client's options for `auth`. Throws when the credentials file cannot be read. */
export function authOptions(auth: BrokerAuth): ConnectionOptions {
  const { ca, cert, key } = auth.tls ?? {};
  const tls = {
    ...(ca ? { caFile: ca } : {}),
    ...(cert ? { certFile: cert } : {}),
    ...(key ? { keyFile: key } : {}),
  };
  return {
    ...(auth.creds ? { authenticator: credsAuthenticator(credsReader(auth.creds)) } : {}),
    ...(auth.token ? { token: auth.token } : {}),
    ...(auth.user ? { user: auth.user, pass: auth.password ?? '' } : {}),
    ...(auth.tls ? { tls } : {}),
  };
}
