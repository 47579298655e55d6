import { chmod, chown, copyFile, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Certificate } from './certificates.ts';
import type { TestDatabase } from './database.ts';

/** How a PostgreSQL is to be reached; lines of `pg_hba.conf` come before those that it has. */
export interface DatabaseTls {
  readonly certificate: Certificate;
  /** Signs the certificates of clients. */
  readonly clientCa?: string;
  readonly access?: readonly string[];
}

/** Turns TLS on in a running server, or gives it other certificates; connections that stand are left alone. */
export async function encryptDatabase(database: TestDatabase, tls: DatabaseTls): Promise<void> {
  const [place] = await database.query<{ data: string; hba: string }>(
    "SELECT current_setting('data_directory') AS data, current_setting('hba_file') AS hba",
  );
  if (!place) throw new Error('the server does not tell where its files are');
  const owner = await stat(place.data);
  const hand = async (from: string, name: string) => {
    const to = join(place.data, name);
    await copyFile(from, to);
    await chmod(to, 0o600);
    await chown(to, owner.uid, owner.gid);
  };
  await hand(tls.certificate.certFile, 'server.crt');
  await hand(tls.certificate.keyFile, 'server.key');
  if (tls.clientCa) await hand(tls.clientCa, 'client-ca.crt');
  if (tls.access) {
    const before = await readFile(place.hba, 'utf8');
    await writeFile(place.hba, [...tls.access, before].join('\n'));
  }
  if (tls.clientCa) await database.query("ALTER SYSTEM SET ssl_ca_file = 'client-ca.crt'");
  await database.query('ALTER SYSTEM SET ssl = on');
  await database.query('SELECT pg_reload_conf()');
}
