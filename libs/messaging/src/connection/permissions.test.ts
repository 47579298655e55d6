import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { done } from '@earshot/jobs';
import {
  type NatsOperator,
  type NatsPermissions,
  natsOperator,
  startTestBroker,
  type TestBroker,
  tempFolder,
} from '@earshot/testkit';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { durablesOf, JobBench } from '../../test/job-bench.ts';
import { aChunkJob, eventually, jobMessage, recordingLog } from '../../test/support.ts';
import { PullInbox } from '../take/pull-inbox.ts';
import { pingWorkers } from '../workers/ask-workers.ts';
import type { Broker } from './broker.ts';
import { connectBroker } from './connect.ts';

let folder: Awaited<ReturnType<typeof tempFolder>>;
let operator: NatsOperator;
let server: TestBroker;
const open: Broker[] = [];

beforeAll(async () => {
  folder = await tempFolder();
  operator = await natsOperator();
  server = await startTestBroker({ access: await operator.access() });
});
afterAll(async () => {
  for (const broker of open) await broker.close();
  await server.dispose();
  await folder.remove();
});

async function connectWith(permissions: NatsPermissions, inboxPrefix?: string) {
  const creds = join(folder.path, 'user.creds');
  await writeFile(creds, (await operator.user('w', permissions)).creds);
  const log = recordingLog();
  const broker = await connectBroker({ servers: [server.url], name: 'w', log, auth: { creds }, inboxPrefix });
  open.push(broker);
  return { broker, log };
}

const INBOX = '_INBOX.>';

it('a request on a denied subject fails at once and says which permission is missing', async () => {
  const { broker, log } = await connectWith({ publish: ['$JS.API.INFO'], subscribe: [INBOX] });
  const startedAt = performance.now();
  const words = {
    code: 'unavailable',
    message: expect.stringContaining('our NATS user may not publish there'),
  };
  await expect(broker.api.call('STREAM.DELETE.JOBS')).rejects.toMatchObject(words);
  await expect(broker.publisher.publish(jobMessage(aChunkJob()))).rejects.toMatchObject(words);
  expect(performance.now() - startedAt).toBeLessThan(2_000);
  expect(log.lines).toContainEqual({
    level: 'warn',
    message: 'NATS refuses a subject: our user lacks a permission',
    fields: expect.objectContaining({ operation: 'publish', subject: '$JS.API.STREAM.DELETE.JOBS' }),
  });
  await expect(broker.api.call('INFO')).resolves.toBeDefined();
});

it('a refusal of one subject leaves requests on others alone', async () => {
  const { broker } = await connectWith({ publish: ['$JS.API.INFO', 'hold'], subscribe: [INBOX, 'hold'] });
  broker.connection.subscribe('hold', { callback: () => undefined });
  const waiting = expect(broker.requests.request('hold', '', { timeoutMs: 1_000 })).rejects.toMatchObject({
    reason: 'timeout',
  });
  await expect(broker.publisher.publish(jobMessage(aChunkJob()))).rejects.toMatchObject({
    code: 'unavailable',
  });
  await waiting;
});

it('a user that may not listen for answers is told so, instead of waiting for them', async () => {
  const refused = connectWith({ publish: ['>'], subscribe: ['_INBOX_other.>'] });
  await expect(refused).rejects.toMatchObject({
    code: 'unavailable',
    message: expect.stringMatching(/our NATS user may not listen to _INBOX\..*: check NATS_INBOX_PREFIX/),
  });
});

it('a lane whose pulls are refused, and so never answered, holds up no other lane', async () => {
  const { broker: all } = await connectWith({ publish: ['>'], subscribe: [INBOX] });
  const bench = await new JobBench(() => all).start();
  const { low } = durablesOf(bench.engine);
  const { broker } = await connectWith({
    publish: [
      `$JS.API.CONSUMER.MSG.NEXT.JOBS.${low}`,
      '$JS.API.CONSUMER.INFO.>',
      '$JS.ACK.>',
      '$JS.API.STREAM.>',
      '$JS.API.INFO',
    ],
    subscribe: [INBOX],
  });
  let runs = 0;
  bench.loop(
    async () => {
      runs += 1;
      return done();
    },
    { broker },
  );
  await bench.publish({ lane: 'low' });
  await eventually('the low job', () => runs === 1, 10_000);
  await bench.stop();
});

it('a user that may listen for answers again hears them without a new connection', async () => {
  const mayHear = (inbox: string) =>
    `authorization { users = [{ user: w, password: p, permissions: { publish: ">", subscribe: "${inbox}" } }] }`;
  const own = await startTestBroker({ access: mayHear(INBOX) });
  const log = recordingLog();
  const auth = { user: 'w', password: 'p' };
  const broker = await connectBroker({ servers: [own.url], name: 'w', log, auth });
  const info = () => broker.api.call('INFO');
  await expect(info()).resolves.toBeDefined();
  await own.setAccess(mayHear('_INBOX_other.>'));
  await eventually('the refusal', () =>
    info().then(
      () => false,
      ({ message }) => /may not listen/.test(message),
    ),
  );
  await own.setAccess(mayHear(INBOX));
  await eventually('an answer', () => info().catch(() => false));
  expect(log.lines.filter(({ message }) => message === 'NATS disconnected')).toEqual([]);
  await broker.close();
  await own.dispose();
});

it('everything that waits for answers waits below the inbox prefix', async () => {
  const may = {
    publish: ['$JS.API.INFO', '$JS.API.STREAM.INFO.*', '$JS.API.CONSUMER.MSG.NEXT.JOBS.c', 'workers.ping'],
    subscribe: ['_INBOX_own.>'],
  };
  const refused = async () => (await server.log()).match(/.*Subscription Violation.*/g) ?? [];
  const before = await refused();
  const { broker } = await connectWith(may, '_INBOX_own');
  await expect(broker.api.call('INFO')).resolves.toBeDefined();
  const inbox = new PullInbox(broker, 'JOBS', () => undefined);
  const nothing = { kind: 'trouble', detail: expect.stringContaining('no such stream') };
  expect(await inbox.pull({ durable: 'c', batch: 1, quietMs: 5_000 })).toEqual(nothing);
  inbox.close();
  expect(await pingWorkers(broker, 5_000)).toEqual([]);
  expect(await refused()).toEqual(before);
});
