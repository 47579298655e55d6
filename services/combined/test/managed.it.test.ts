import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Client } from '@earshot/client';
import {
  type Authority,
  certificateAuthority,
  eventually,
  type NatsOperator,
  type NatsUser,
  natsOperator,
  startTestBroker,
  type TestBroker,
} from '@earshot/testkit';
import { connect, credsAuthenticator, type NatsConnection } from 'nats';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { EarshotProcess } from './earshot-process.ts';
import { type Installation, prepareInstallation, urlOf } from './installation.ts';
import { readPermissions, refusals } from './program-users.ts';

let installation: Installation;
let authority: Authority;
let operator: NatsOperator;
let nats: TestBroker;
const users = new Map<string, NatsUser>();

const credsOf = (name: string) => join(installation.folder, `${name}.creds`);

/** A credentials file for each program of the table of permissions, in place of those of before. */
async function signUsers(): Promise<void> {
  for (const [name, permissions] of Object.entries(await readPermissions())) {
    const user = await operator.user(name, permissions);
    users.set(name, user);
    await writeFile(credsOf(name), user.creds);
  }
}

async function access(): Promise<string> {
  const { certFile, keyFile } = await authority.issue('server');
  return `${await operator.access()}\ntls { cert_file: "${certFile}", key_file: "${keyFile}" }`;
}

beforeAll(async () => {
  installation = await prepareInstallation();
  authority = await certificateAuthority(installation.folder);
  operator = await natsOperator();
  nats = await startTestBroker({ access: await access() });
  await signUsers();
}, 180_000);

afterAll(async () => {
  await installation?.dispose();
  await nats?.dispose();
});

const start = (user: string, file: string, env: Record<string, string> = {}) =>
  installation.start(file, {
    NATS_URL: `tls://localhost:${nats.port}`,
    NATS_CREDS: credsOf(user),
    NATS_INBOX_PREFIX: `_INBOX_${user}`,
    NATS_TLS_CA: authority.caFile,
    ...env,
  });

async function transcribed(ingest: EarshotProcess, results: EarshotProcess) {
  const file = new Blob([await readFile(installation.sample)]);
  const { id } = await new Client({ baseUrl: await urlOf(ingest) }).recordings.create({ file });
  return new Client({ baseUrl: await urlOf(results) }).transcripts.wait(id);
}

const connectAs = async (user: string) =>
  connect({
    servers: `localhost:${nats.port}`,
    tls: { caFile: authority.caFile },
    authenticator: credsAuthenticator(await readFile(credsOf(user))),
    inboxPrefix: `_INBOX_${user}`,
  });

async function firstRefusal(connection: NatsConnection) {
  for await (const { permissionContext } of connection.status())
    if (permissionContext) return permissionContext;
  return undefined;
}

const times = (service: EarshotProcess, words: string) => service.stdout().split(words).length - 1;

it('a recording becomes a transcript on a managed NATS by TLS and credentials files, before and after their rotation', async () => {
  const database = { DATABASE_URL: installation.servers.databaseUrl };
  const init = start('init', 'combined/src/init.ts', database);
  expect([await init.exit, init.stderr()]).toEqual([0, '']);
  const ingest = start('ingest', 'ingest/src/main.ts');
  const results = start('results', 'results/src/main.ts', database);
  const worker = start('transcription', 'transcription/src/main.ts');
  const services = [ingest, results, worker];
  await worker.printed(/worker ready/);
  expect(await transcribed(ingest, results)).toMatchObject({ status: 'completed' });

  for (const user of users.values()) operator.revoke(user);
  await signUsers();
  await nats.setAccess(await access());
  for (const service of services)
    await eventually('the service to be back', () => times(service, '"NATS reconnected"') === 1);
  expect(await transcribed(ingest, results)).toMatchObject({ status: 'completed' });
  for (const service of services) expect(times(service, '"NATS disconnected"')).toBe(1);

  const publisher = await connectAs('publisher');
  const uploaded = publisher
    .jetstream()
    .publish('uploads.default', '{"session_id":"s","gcs_path":"b/none.wav"}');
  expect((await uploaded).stream).toBe('UPLOADS');
  await publisher.close();
  expect(await refusals(nats)).toEqual([]);
}, 180_000);

it.each([
  ['init', 'jobs.split.normal.default.x'],
  ['ingest', 'transcripts.default.x.completed'],
  ['transcription', 'transcripts.default.x.deleted'],
  ['results', '$JS.API.STREAM.DELETE.JOBS'],
  ['publisher', 'jobs.split.normal.default.x'],
  ['consumer', '$JS.API.CONSUMER.MSG.NEXT.TRANSCRIPTS.results'],
])('the user %s is refused %s', async (user, subject) => {
  const connection = await connectAs(user);
  const refused = firstRefusal(connection);
  connection.publish(subject, '{}');
  expect(await refused).toMatchObject({ operation: 'publish', subject });
  await connection.close();
});
