import { rename, writeFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { join } from 'node:path';
import { generate } from 'selfsigned';

/** The PEM files of a certificate and its key. */
export interface Certificate {
  readonly certFile: string;
  readonly keyFile: string;
}

/** Somebody who signs certificates: what a company's own CA is. */
export interface Authority {
  readonly caFile: string;
  /**
   * Signs a certificate, for servers and clients alike, and writes `<name>.crt` and `<name>.key`; the same name again
   * replaces both, as a rotation does. `hosts` are names and IP addresses; default `localhost` alone.
   */
  issue(name: string, hosts?: readonly string[]): Promise<Certificate>;
}

/** Files appear whole, as a secret that is rotated by a rename does. */
async function put(path: string, content: string): Promise<void> {
  await writeFile(`${path}.new`, content, { mode: 0o644 });
  await rename(`${path}.new`, path);
}

const common = { keyType: 'ec', algorithm: 'sha256' } as const;
const nameOf = (host: string) =>
  isIP(host) ? ({ type: 7, ip: host } as const) : ({ type: 2, value: host } as const);

/** A new CA that keeps its files in `folder`. */
export async function certificateAuthority(folder: string, name = 'ca'): Promise<Authority> {
  const ca = await generate([{ name: 'commonName', value: `Test authority ${name}` }], {
    ...common,
    extensions: [
      { name: 'basicConstraints', cA: true, critical: true },
      { name: 'keyUsage', keyCertSign: true, cRLSign: true, critical: true },
    ],
  });
  const caFile = join(folder, `${name}.crt`);
  await put(caFile, ca.cert);
  return {
    caFile,
    issue: async (owner, hosts = ['localhost']) => {
      const signed = await generate([{ name: 'commonName', value: owner }], {
        ...common,
        ca: { key: ca.private, cert: ca.cert },
        extensions: [
          { name: 'basicConstraints', cA: false, critical: true },
          { name: 'keyUsage', digitalSignature: true, critical: true },
          { name: 'extKeyUsage', serverAuth: true, clientAuth: true },
          { name: 'subjectAltName', altNames: hosts.map(nameOf) },
        ],
      });
      const files = { certFile: join(folder, `${owner}.crt`), keyFile: join(folder, `${owner}.key`) };
      await put(files.keyFile, signed.private);
      await put(files.certFile, signed.cert);
      return files;
    },
  };
}
