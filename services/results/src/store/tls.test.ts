import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type Authority,
  certificateAuthority,
  encryptDatabase,
  eventually,
  type TestDatabase,
  tempFolder,
  testDatabase,
} from '@earshot/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { log } from '../../test/fixture.ts';
import { addressProblems, type DatabaseAddress } from './address.ts';
import { type Database, openDatabase } from './database.ts';
import { migrate } from './migrate.ts';

let folder: Awaited<ReturnType<typeof tempFolder>>;
let server: TestDatabase;
let ours: Authority;
let theirs: Authority;
const open: Database[] = [];

beforeAll(async () => {
  folder = await tempFolder();
  [ours, theirs] = [
    await certificateAuthority(folder.path, 'ours'),
    await certificateAuthority(folder.path, 'theirs'),
  ];
  server = await testDatabase();
  for (const role of ['app', 'certified']) {
    await server.query(`CREATE ROLE ${role} LOGIN PASSWORD 'first'`);
    await server.query(`GRANT ALL ON SCHEMA public TO ${role}`);
  }
  await encryptDatabase(server, {
    certificate: await ours.issue('server', ['localhost']),
    clientCa: ours.caFile,
    access: [
      'hostssl all certified 127.0.0.1/32 cert',
      'hostssl all app 127.0.0.1/32 scram-sha-256',
      'hostnossl all app,certified 127.0.0.1/32 reject',
    ],
  });
  await eventually('TLS', async () => (await encrypted(at({ sslmode: 'require' }))) === true);
});
afterAll(async () => {
  for (const database of open) await database.close();
  await server?.query('DROP OWNED BY app, certified; DROP ROLE app, certified');
  await server?.drop();
  await folder?.remove();
});

/** The address of the server with other words. */
function at(
  words: Record<string, string>,
  { user = 'app', password = 'first', host = '127.0.0.1' } = {},
): string {
  const url = new URL(server.url);
  Object.assign(url, { username: user, password, hostname: host });
  for (const [name, value] of Object.entries(words)) url.searchParams.set(name, value);
  return url.href;
}

function opened(address: DatabaseAddress): Database {
  const database = openDatabase({ url: address, log, connectTimeoutMs: 20_000 });
  open.push(database);
  return database;
}

const encrypted = async (address: DatabaseAddress) => {
  const asked = opened(address).read((tx) =>
    tx.query('SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()'),
  );
  return (await asked).rows[0]?.ssl;
};

const refused = (setting: RegExp) => ({
  code: 'unavailable',
  message: expect.stringMatching(setting),
});

describe('sslmode', () => {
  const trust = (authority: () => Authority) => ({ sslrootcert: authority().caFile });

  it('disable, and none at all, go in the clear, which a server may refuse', async () => {
    const own = new URL(server.url);
    for (const words of ['', '?sslmode=disable']) expect(await encrypted(`${own.href}${words}`)).toBe(false);
    await expect(encrypted(at({ sslmode: 'disable' }))).rejects.toMatchObject(refused(/sslmode/));
  });

  it('require encrypts and asks for no certificate, unless it is given a CA', async () => {
    expect(await encrypted(at({ sslmode: 'require' }))).toBe(true);
    expect(await encrypted(at({ sslmode: 'require', ...trust(() => ours) }))).toBe(true);
    const wrong = encrypted(at({ sslmode: 'require', ...trust(() => theirs) }));
    await expect(wrong).rejects.toMatchObject(refused(/not trusted: check sslrootcert/));
  });

  it('verify-ca takes any host of our CA', async () => {
    expect(await encrypted(at({ sslmode: 'verify-ca', ...trust(() => ours) }))).toBe(true);
    const wrong = encrypted(at({ sslmode: 'verify-ca', ...trust(() => theirs) }));
    await expect(wrong).rejects.toMatchObject(refused(/not trusted: check sslrootcert/));
  });

  it('verify-full takes only the host that the certificate names', async () => {
    const words = { sslmode: 'verify-full', ...trust(() => ours) };
    expect(await encrypted(at(words, { host: 'localhost' }))).toBe(true);
    await expect(encrypted(at(words))).rejects.toMatchObject(refused(/for another host/));
    const unknown = encrypted(at({ sslmode: 'verify-full' }, { host: 'localhost' }));
    await expect(unknown).rejects.toMatchObject(refused(/not trusted: check sslrootcert/));
  });

  it('with a certificate of ours needs no password', async () => {
    const { certFile: sslcert, keyFile: sslkey } = await ours.issue('certified');
    const words = { sslmode: 'verify-ca', ...trust(() => ours) };
    const who = { user: 'certified', password: '' };
    expect(await encrypted(at({ ...words, sslcert, sslkey }, who))).toBe(true);
    await expect(encrypted(at(words, who))).rejects.toMatchObject(refused(/sslcert/));
    const stranger = await theirs.issue('stranger');
    const foreign = { ...words, sslcert: stranger.certFile, sslkey: stranger.keyFile };
    await expect(encrypted(at(foreign, who))).rejects.toMatchObject({ code: 'unavailable' });
  });

  it('holds for migrations too', async () => {
    const words = { sslmode: 'verify-full', ...trust(() => ours) };
    expect(await migrate(at(words, { host: 'localhost' }))).not.toEqual([]);
    await expect(migrate(at(words))).rejects.toMatchObject(refused(/for another host/));
  });
});

it('a wrong password and a wrong name of the database are named, without the password', async () => {
  const password = opened(at({ sslmode: 'require' }, { password: 'SECRET' })).read(async () => 1);
  await expect(password).rejects.toMatchObject(refused(/refuses us: check user, password/));
  await password.catch((error: unknown) => expect(String(error)).not.toContain('SECRET'));
  const nowhere = new URL(at({ sslmode: 'require' }));
  nowhere.pathname = '/nowhere';
  await expect(opened(nowhere.href).read(async () => 1)).rejects.toMatchObject(refused(/no such database/));
});

it('the settings are refused before anything starts when their words do not fit', () => {
  const problems = (query: string) => addressProblems({ DATABASE_URL: `postgres://u:SECRET@h/db?${query}` });
  expect(problems('sslmode=verify-full')).toEqual([]);
  expect(problems('sslmode=prefer')).toEqual([
    expect.stringContaining('disable, require, verify-ca, verify-full'),
  ]);
  expect(problems('sslmode=verify-ca')).toEqual([expect.stringContaining('needs sslrootcert')]);
  expect(problems('sslmode=require&sslcert=/none')).toEqual([
    'DATABASE_URL: the file of sslcert cannot be read: ENOENT',
    'DATABASE_URL: sslcert and sslkey belong together',
  ]);
});

it('another password and another CA are taken up while running, from the files that the settings name', async () => {
  const put = async (name: string, content: string) => {
    const path = join(folder.path, name);
    await writeFile(`${path}.new`, content);
    await rename(`${path}.new`, path);
    return path;
  };
  const sslrootcert = await put('trusted.crt', await readFile(ours.caFile, 'utf8'));
  const words = { sslmode: 'verify-ca', sslrootcert };
  const database = opened({ file: await put('address', `${at(words)}\n`) });
  const ask = () => database.read(async (tx) => (await tx.query('SELECT 1 AS one')).rows);
  await ask();

  await server.query("ALTER ROLE app PASSWORD 'second'");
  await put('address', at(words, { password: 'second' }));
  await put('trusted.crt', await readFile(theirs.caFile, 'utf8'));
  await encryptDatabase(server, { certificate: await theirs.issue('server', ['localhost']) });
  await server.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'app'");
  await eventually('the new password and CA to be used', async () => (await ask()).length === 1);
  await expect(encrypted(at(words))).rejects.toMatchObject({ code: 'unavailable' });
});
