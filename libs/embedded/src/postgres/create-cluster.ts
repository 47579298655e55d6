import { randomBytes } from 'node:crypto';
import { chmod, chown, mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { EmbeddedError } from '../errors.ts';
import { run, tail } from '../run.ts';
import { writePrivate } from '../servers/state-file.ts';
import type { ResolvedPostgres } from './resolve.ts';

/** The only role and the only database of the embedded server. */
export const ROLE = 'earshot';
/** See {@link ROLE}. */
export const DATABASE = 'earshot';

/**
 * Makes the database files in `<place>/data` unless they are there: UTF-8, password needed, database and role `earshot`.
 * An interrupted attempt leaves nothing that a later start would use. Returns the password kept (0600) in `passwordFile`.
 */
export async function createCluster(
  installation: ResolvedPostgres,
  place: string,
  passwordFile: string,
): Promise<string> {
  const password = await passwordOf(passwordFile);
  const data = join(place, 'data');
  if (await stat(join(data, 'PG_VERSION')).catch(() => undefined)) return password;
  const draft = join(place, 'data.new');
  await rm(draft, { recursive: true, force: true });
  await mkdir(draft, { mode: 0o700 });
  const given = join(place, 'password.new');
  await rm(given, { force: true });
  await writeFile(given, password, { mode: 0o600, flag: 'wx' });
  try {
    for (const path of [draft, given]) await handOver(path, installation);
    await initialise(installation, draft, given);
    await createDatabase(installation, draft);
    await rename(draft, data);
  } finally {
    await rm(given, { force: true });
  }
  return password;
}

/** Runs one of PostgreSQL's programs as the right user, with no environment of ours. */
export function runPostgresTool(
  installation: ResolvedPostgres,
  program: string,
  args: string[],
  input?: string,
) {
  const { runAs } = installation;
  const cwd = process.platform === 'win32' ? undefined : '/';
  return run(program, args, {
    env: { LC_ALL: 'C' },
    timeoutMs: 120_000,
    ...(cwd === undefined ? {} : { cwd }),
    ...(input === undefined ? {} : { input }),
    ...(runAs === undefined ? {} : { uid: runAs.uid, gid: runAs.gid }),
  });
}

async function initialise(installation: ResolvedPostgres, data: string, passwordFile: string): Promise<void> {
  const args = [
    '-D',
    data,
    '-U',
    ROLE,
    `--pwfile=${passwordFile}`,
    '--auth=scram-sha-256',
    '--encoding=UTF8',
  ];
  args.push(
    '--locale-provider=builtin',
    '--builtin-locale=C.UTF-8',
    '--locale=C',
    '--no-sync',
    '--no-instructions',
  );
  const ended = await runPostgresTool(installation, installation.initdb, args);
  if (ended.code !== 0) throw failed('initdb', ended.stderr + ended.stdout);
}

/** Single-user mode needs no port, no password and no client library. */
async function createDatabase(installation: ResolvedPostgres, data: string): Promise<void> {
  const args = ['--single', '-F', '-j', '-D', data, 'postgres'];
  const sql = `CREATE DATABASE ${DATABASE};\n\n`;
  const ended = await runPostgresTool(installation, installation.postgres, args, sql);
  if (ended.code !== 0 || /ERROR|FATAL/.test(ended.stderr))
    throw failed('creating the database', ended.stderr);
}

async function passwordOf(path: string): Promise<string> {
  const known = await readFile(path, 'utf8').catch(() => undefined);
  if (known !== undefined) return known.trim();
  const made = randomBytes(24).toString('base64url');
  await writePrivate(path, made);
  return made;
}

async function handOver(path: string, { runAs }: ResolvedPostgres): Promise<void> {
  if (runAs === undefined) return;
  await chown(path, runAs.uid, runAs.gid);
  await chmod(path, (await stat(path)).isDirectory() ? 0o700 : 0o600);
}

function failed(what: string, output: string): EmbeddedError {
  return new EmbeddedError('DID_NOT_START', `PostgreSQL: ${what} failed.\n${tail(output)}`);
}
