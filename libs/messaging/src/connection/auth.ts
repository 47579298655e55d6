import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { checkServerIdentity, type PeerCertificate } from 'node:tls';
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
        /** Begin with the handshake, before the server says a word; the server must be set so. Default false. */
        readonly handshakeFirst?: boolean | undefined;
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

/**
 * The client does not say which IP address it has reached, and Node then takes the name for `localhost`: such a
 * certificate must be for an IP address of ours instead.
 */
function identityCheck(servers: readonly string[]) {
  const hosts = servers.map(
    (server) => new URL(server.includes('://') ? server : `nats://${server}`).hostname,
  );
  const addresses = hosts.map((host) => host.replace(/^\[|\]$/g, '')).filter((host) => isIP(host));
  if (addresses.length === 0) return {};
  return {
    checkServerIdentity: (host: string, certificate: PeerCertificate) => {
      if (host !== 'localhost' || hosts.includes(host)) return checkServerIdentity(host, certificate);
      const faults = addresses.map((address) => checkServerIdentity(address, certificate));
      return faults.includes(undefined) ? undefined : faults[0];
    },
  };
}

/** The client's options for `auth` at `servers`. Throws when a file that it names cannot be read. */
export function authOptions(auth: BrokerAuth, servers: readonly string[] = []): ConnectionOptions {
  const authenticator = authenticatorOf(auth);
  const { ca, cert, key, handshakeFirst } = auth.tls ?? {};
  const tls = {
    ...identityCheck(servers),
    ...(ca ? { caFile: ca } : {}),
    ...(cert ? { certFile: cert } : {}),
    ...(key ? { keyFile: key } : {}),
    ...(handshakeFirst ? { handshakeFirst } : {}),
  };
  return { ...(authenticator ? { authenticator } : {}), ...(auth.tls ? { tls } : {}) };
}
