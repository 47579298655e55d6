import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';

/** Signs tokens as Google does, and shows its keys to who asks. */
export interface TokenOffice {
  readonly keys: URL;
  /** How often the keys were asked for. */
  asked(): number;
  /** A token with these claims over those of a good one. */
  token(claims?: Record<string, unknown>, header?: { kid?: string }): Promise<string>;
  /** A token signed with a key that nobody knows, under the name of a known one. */
  forged(claims?: Record<string, unknown>): Promise<string>;
  close(): Promise<void>;
}

/** An office on this machine; `claims` are those of a good token. */
export async function openTokenOffice(claims: Record<string, unknown>): Promise<TokenOffice> {
  const { privateKey, publicKey } = await generateKeyPair('RS256');
  const stranger = await generateKeyPair('RS256');
  const shown = { keys: [{ ...(await exportJWK(publicKey)), kid: 'one', alg: 'RS256', use: 'sig' }] };
  let asked = 0;
  const server = createServer((_, response) => {
    asked += 1;
    response.setHeader('content-type', 'application/json').end(JSON.stringify(shown));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const now = () => Math.floor(Date.now() / 1000);
  const good = () => ({ iss: 'https://accounts.google.com', iat: now(), exp: now() + 3600, ...claims });
  const sign = (key: typeof privateKey, more: object, header: object) =>
    new SignJWT({ ...good(), ...more }).setProtectedHeader({ alg: 'RS256', kid: 'one', ...header }).sign(key);
  return {
    keys: new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/certs`),
    asked: () => asked,
    token: (more = {}, header = {}) => sign(privateKey, more, header),
    forged: (more = {}) => sign(stranger.privateKey, more, {}),
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
