import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Certificate, eventually, freePort } from '@earshot/testkit';
import { findPgbouncer } from '../../../../tools/deploy/pgbouncer.mjs';

/** A PgBouncer in transaction mode, by TLS, in front of a PostgreSQL. */
export interface Pooler {
  /** The address of the same database through it. */
  readonly url: URL;
  /** All that it logged so far. */
  log(): string;
  stop(): Promise<void>;
}

/** It refuses to be root, and another user may read nothing below a private folder. */
const USER = process.getuid?.() === 0 ? 'user = nobody' : '';

/** Starts one with `connections` of its own to PostgreSQL, so that clients must share them. */
export async function startPooler(options: {
  readonly folder: string;
  readonly databaseUrl: string;
  readonly certificate: Certificate;
  readonly connections: number;
}): Promise<Pooler> {
  const { folder, certificate, connections } = options;
  const database = new URL(options.databaseUrl);
  const { path, env } = await findPgbouncer();
  const port = await freePort();
  const users = join(folder, 'pgbouncer-users.txt');
  await writeFile(users, `"${database.username}" "${database.password}"\n`);
  const file = join(folder, 'pgbouncer.ini');
  await writeFile(
    file,
    `[databases]
* = host=${database.hostname} port=${database.port}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = ${users}
pool_mode = transaction
default_pool_size = ${connections}
max_client_conn = 200
client_tls_sslmode = require
client_tls_cert_file = ${certificate.certFile}
client_tls_key_file = ${certificate.keyFile}
${USER}
`,
  );
  await chmod(file, 0o644);
  const child = spawn(path, [file], { env, stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  const endWithParent = () => child.kill('SIGKILL');
  process.once('exit', endWithParent);
  await eventually('PgBouncer to be ready', () => {
    if (child.exitCode !== null) throw new Error(said);
    return said.includes('process up');
  });
  const url = new URL(database);
  Object.assign(url, { hostname: 'localhost', port: String(port) });
  return {
    url,
    log: () => said,
    stop: async () => {
      process.removeListener('exit', endWithParent);
      child.kill('SIGKILL');
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    },
  };
}
