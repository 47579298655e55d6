import { readFile } from 'node:fs/promises';
import { Client } from '@earshot/client';
import { certificateAuthority, eventually, type TestDatabase, testDatabase } from '@earshot/testkit';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Installation, prepareInstallation, urlOf } from '../installation.ts';
import { type Pooler, startPooler } from './pgbouncer.ts';

/** Fewer than the pools of two replicas, so that a connection is somebody else's after each transaction. */
const CONNECTIONS = 3;

let installation: Installation;
let database: TestDatabase;
let pooler: Pooler;
let throughPooler: { readonly NATS_URL: string; readonly DATABASE_URL: string };

beforeAll(async () => {
  installation = await prepareInstallation();
  database = await testDatabase();
  const { folder, servers } = installation;
  const authority = await certificateAuthority(folder);
  const certificate = await authority.issue('pooler');
  pooler = await startPooler({
    ...{ folder, databaseUrl: database.url, certificate, connections: CONNECTIONS },
  });
  pooler.url.search = `?sslmode=verify-full&sslrootcert=${authority.caFile}`;
  throughPooler = { NATS_URL: servers.natsUrl, DATABASE_URL: pooler.url.href };
});
afterAll(async () => {
  await installation?.dispose();
  await pooler?.stop();
  await database?.drop();
});

it('migrations, two replicas of results and their leases work through a transaction pooler', async () => {
  const inits = [1, 2].map(() => installation.start('combined/src/init.ts', throughPooler));
  expect(await Promise.all(inits.map(({ exit }) => exit))).toEqual([0, 0]);
  const migrated = inits.map(({ stdout }) => /"migrations":\[(.*?)\]/.exec(stdout())?.[1]);
  expect(migrated.filter((names) => names === '')).toHaveLength(1);
  expect(await database.query("SELECT FROM pg_locks WHERE locktype = 'advisory'")).toEqual([]);

  const ingest = installation.start('ingest/src/main.ts', throughPooler);
  const worker = installation.start('transcription/src/main.ts', throughPooler);
  const replicas = [1, 2].map(() => installation.start('results/src/main.ts', throughPooler));
  await worker.printed(/worker ready/);
  const readers = await Promise.all(replicas.map(async (one) => new Client({ baseUrl: await urlOf(one) })));
  const uploads = new Client({ baseUrl: await urlOf(ingest) });
  const file = new Blob([await readFile(installation.sample)]);
  const sent = await Promise.all([1, 2, 3, 4].map(() => uploads.recordings.create({ file })));
  for (const { id } of sent)
    for (const reader of readers)
      expect(await reader.transcripts.wait(id)).toMatchObject({ status: 'completed' });

  const [gone, left] = replicas;
  if (gone?.child.pid) process.kill(-gone.child.pid, 'SIGKILL');
  await gone?.exit;
  const [{ now } = { now: '' }] = await database.query<{ now: string }>('SELECT now()::text AS now');
  const held = `SELECT FROM marks WHERE name = 'levers' AND holder IS NOT NULL AND updated_at > '${now}'`;
  await eventually(
    'the other replica to hold the lease',
    async () => (await database.query(held)).length > 0,
    30_000,
  );
  expect(left?.child.exitCode).toBeNull();

  expect(pooler.log()).not.toMatch(/unsupported|prepared statement/);
  const [{ count } = { count: '' }] = await database.query<{ count: string }>(
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()",
  );
  expect(Number(count)).toBeLessThanOrEqual(CONNECTIONS);
}, 240_000);
