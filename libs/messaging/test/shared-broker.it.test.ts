import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { splitJob, workerSubjects } from '@earshot/contracts';
import { accountStoreBytes, applyTopology, type Broker, connectBroker } from '@earshot/messaging';
import { type ServerOfFile, startServerFile } from '@earshot/testkit';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { eventually, recordingLog, testTopology } from './support.ts';

const file = (path: string) => fileURLToPath(new URL(`../../../${path}`, import.meta.url));
const PLATFORMS = ['north', 'south'];
const PROGRAMS = ['init', 'ingest', 'transcription', 'results', 'publisher', 'consumer'];
const USERS = PLATFORMS.flatMap((platform) => PROGRAMS.map((program) => `${platform}-${program}`));
const passwordOf = (user: string) => `p-${user}`;

let server: ServerOfFile;
const open: Broker[] = [];

beforeAll(async () => {
  const variable = (user: string) => `${user.toUpperCase().replace('-', '_')}_PASSWORD`;
  server = await startServerFile(file('examples/shared-broker/nats-server.conf'), {
    NATS_SERVER_NAME: 'shared',
    ...Object.fromEntries(USERS.map((user) => [variable(user), passwordOf(user)])),
  });
  for (const platform of PLATFORMS)
    await applyTopology(await as(`${platform}-init`), testTopology(['sherpa']));
});
afterAll(async () => {
  for (const broker of open) await broker.close();
  await server.dispose();
});

async function as(user: string): Promise<Broker> {
  const auth = { user, password: passwordOf(user) };
  const inboxPrefix = `_INBOX_${user.split('-')[1]}`;
  const options = { servers: [server.url], name: user, log: recordingLog(), auth, inboxPrefix };
  const broker = await connectBroker(options);
  open.push(broker);
  return broker;
}

it('a job of one platform is none of the other, by the same subject', async () => {
  const job = splitJob.create(
    {
      ...{ tenant_id: 'default', transcript_id: crypto.randomUUID(), plan: 1, generation: 0, attempt: 1 },
      ...{ engine: 'sherpa', lane: 'normal', channels: 'auto', key: 'default/x/bytes/y' },
      accepted_at: new Date().toISOString(),
    },
    { source: 'earshot/test' },
  );
  const [north, south] = [await as('north-ingest'), await as('south-ingest')];
  expect(await north.publisher.publishFirst(job)).toBe('stored');
  const readers = { north: await as('north-results'), south: await as('south-results') };
  expect(await readers.north.jobs.last(job.subject)).toBeDefined();
  expect(await readers.south.jobs.last(job.subject)).toBeUndefined();
  expect(await south.publisher.publishFirst(job)).toBe('stored');
  await readers.north.api.call('STREAM.PURGE.JOBS', { filter: job.subject });
  expect(await readers.north.jobs.last(job.subject)).toBeUndefined();
  expect(await readers.south.jobs.last(job.subject)).toBeDefined();
});

it('workers hear the questions of their own platform only', async () => {
  const heard = { north: [] as string[], south: [] as string[] };
  for (const platform of ['north', 'south'] as const) {
    const worker = await as(`${platform}-transcription`);
    worker.connection.subscribe(workerSubjects.ping, { callback: () => heard[platform].push('asked') });
    await worker.connection.flush();
  }
  const [north, south] = [await as('north-results'), await as('south-results')];
  north.connection.publish(workerSubjects.ping);
  north.connection.publish(workerSubjects.ping);
  south.connection.publish(workerSubjects.ping);
  await eventually('all questions to be heard', () => heard.north.length + heard.south.length === 3);
  expect(heard).toEqual({ north: ['asked', 'asked'], south: ['asked'] });
});

it('each platform has half of the disk, and its budgets from that', async () => {
  for (const platform of PLATFORMS)
    expect(await accountStoreBytes(await as(`${platform}-results`))).toBe(4 * 1024 ** 3);
});

it('each program has the permissions of the table', async () => {
  const conf = await readFile(file('examples/shared-broker/nats-server.conf'), 'utf8');
  const table = JSON.parse(await readFile(file('deploy/nats/permissions.json'), 'utf8')) as Record<
    string,
    unknown
  >;
  for (const program of PROGRAMS) {
    const block = new RegExp(`^${program.toUpperCase()}_MAY: \\{(.*?)^\\}`, 'ms').exec(conf)?.[1] ?? '';
    const listed = (name: string) =>
      [...(new RegExp(`${name}: \\[(.*?)\\]`, 's').exec(block)?.[1] ?? '').matchAll(/"([^"]+)"/g)].map(
        ([, subject]) => subject,
      );
    const lists = { publish: listed('publish'), subscribe: listed('subscribe') };
    const [, max, expires] = /allow_responses: \{ max: (\d+), expires: "(\w+)" \}/.exec(block) ?? [];
    expect({ ...lists, ...(max ? { allow_responses: { max: Number(max), expires } } : {}) }).toEqual(
      table[program],
    );
  }
});
