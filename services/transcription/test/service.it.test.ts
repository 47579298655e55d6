import { randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { chunkFact, factSubjects, type SplitJob, splitFact, splitJob, topology } from '@earshot/contracts';
import {
  applyTopology,
  type Broker,
  connectBroker,
  pingWorkers,
  readWorkerStates,
  restartPools,
} from '@earshot/messaging';
import type { ObjectStorage } from '@earshot/storage';
import { openFileStorage } from '@earshot/storage-file';
import { eventually, startTestBroker, type TestBroker, tempFolder } from '@earshot/testkit';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { readConfig } from '../src/config.ts';
import { startTranscription, type Transcription } from '../src/service.ts';
import { keptLog } from './fakes.ts';
import { ffmpeg, model, samples } from './parts.ts';

let server: TestBroker;
let broker: Broker;
let storage: ObjectStorage;
let folder: Awaited<ReturnType<typeof tempFolder>>;
const log = keptLog();

const startWorker = () =>
  startTranscription({
    config: {
      ...readConfig({ NATS_URL: server.url, EARSHOT_STORAGE_URL: 'file:/unused', WORKER_CONCURRENCY: '2' }),
      EARSHOT_ACK_WAIT_SECONDS: 5,
    },
    broker,
    storage,
    parts: { ffmpeg, model },
    log,
  });

beforeAll(async () => {
  folder = await tempFolder();
  storage = await openFileStorage({ root: join(folder.path, 'store') });
  server = await startTestBroker();
  broker = await connectBroker({ servers: [server.url], name: 'test', log });
  const settings = { engines: ['sherpa'], ackWaitSeconds: 5, maxAckPending: {}, storeBytes: 1e8 };
  await applyTopology(broker, topology({ ...settings, factsDays: 1, replicas: 1 }));
});

afterAll(async () => {
  await broker.close();
  await server.dispose();
  await storage.close();
  await folder.remove();
});

async function submit(recording: string): Promise<SplitJob> {
  const transcript_id = randomUUID();
  const key = `acme/${transcript_id}/bytes/a`;
  await storage.put(key, createReadStream(recording));
  const wish = { engine: 'sherpa', lane: 'normal', channels: 'auto' } as const;
  const accepted_at = new Date().toISOString();
  const job = {
    tenant_id: 'acme',
    transcript_id,
    plan: 1,
    generation: 0,
    attempt: 1,
    key,
    accepted_at,
    ...wish,
  };
  const traceparent = `00-${randomUUID().replaceAll('-', '')}-00f067aa0ba902b7-01`;
  await broker.publisher.publishFirst(splitJob.create(job, { source: 'test', traceparent }));
  return job;
}

const fact = async (job: SplitJob, which: 'split' | 'chunk') => {
  const subjects = factSubjects('acme', job.transcript_id);
  const subject = which === 'split' ? subjects.split(1) : subjects.chunk(1, 0);
  return eventually(`the ${which} fact`, () => broker.facts.last(subject), 40_000);
};

it('takes a split job to its chunks and facts, and leaves a line of log for each step', async () => {
  const worker: Transcription = await startWorker();
  expect(worker.ready()).toBe(true);
  const job = await submit(samples.two_cities);
  const split = splitFact.read((await fact(job, 'split')).event);
  expect(split).toMatchObject({ count: 1, channels: 1 });
  const chunk = chunkFact.read((await fact(job, 'chunk')).event);
  expect(chunk.segments.map(({ text }) => text).join(' ')).toMatch(/best of times.*worst of times/i);
  await eventually('the queue to be empty', () => worker.activeJobs() === 0);
  const lines = log.lines.filter(({ fields }) => fields.transcript_id === job.transcript_id);
  expect(lines.map(({ message, fields }) => [message, fields.stage, fields.outcome])).toEqual(
    expect.arrayContaining([
      ['job started', 'split', undefined],
      ['job finished', 'split', 'done'],
      ['job started', 'chunk', undefined],
      ['job finished', 'chunk', 'done'],
    ]),
  );
  expect(lines.every(({ fields }) => /^[0-9a-f]{32}$/.test(String(fields.trace_id)))).toBe(true);
  await worker.close(5000);
  expect(worker.ready()).toBe(false);
});

it('a worker that stops hands its work to the next one', async () => {
  const first = await startWorker();
  const job = await submit(samples.two_cities);
  await eventually(
    'the split',
    () => broker.facts.last(factSubjects('acme', job.transcript_id).split(1)),
    20_000,
  );
  await first.close(0);
  const second = await startWorker();
  await fact(job, 'chunk');
  await second.close(5000);
});

it('is seen by others, with what it does and has, and renews its children when asked', async () => {
  const worker = await startWorker();
  expect(worker.workerId).toMatch(new RegExp(`^[a-zA-Z0-9-]+-${process.pid}-[0-9a-f]{6}$`));
  const job = await submit(samples.two_cities);
  const busy = await eventually('a job in work', async () => {
    const [state] = await pingWorkers(broker, 2_000);
    return state?.active_jobs.some(({ stage }) => stage === 'chunk') && state;
  });
  expect(busy).toMatchObject({
    id: worker.workerId,
    pid: process.pid,
    draining: false,
    engines: [{ name: 'sherpa', slots: 2, active: 1, circuit: 'closed', quota_until: null }],
    active_jobs: expect.arrayContaining([
      expect.objectContaining({
        stage: 'chunk',
        tenant_id: 'acme',
        transcript_id: job.transcript_id,
        lane: 'normal',
        n: 0,
        attempt: 1,
      }),
    ]),
  });
  expect(await restartPools(broker, [worker.workerId], 40_000)).toEqual([worker.workerId]);
  const chunk = chunkFact.read((await fact(job, 'chunk')).event);
  expect(chunk).toMatchObject({ worker: worker.workerId, attempt: 1 });
  const ready = log.lines.filter(({ message }) => message === 'engine child ready');
  expect(ready.length).toBeGreaterThan(2);
  const [state] = await eventually(
    'the children to be measured',
    async () => {
      const states = await readWorkerStates(broker);
      return (states[0]?.memory_bytes ?? 0) > 200_000_000 && states;
    },
    20_000,
  );
  expect(state?.id).toBe(worker.workerId);
  await worker.close(5000);
  expect(await pingWorkers(broker, 1_000)).toEqual([]);
});

it('waits for a store that is away, and goes on within 10 s of its return without an attempt burnt', async () => {
  const worker = await startWorker();
  const said = (words: string) => log.lines.filter(({ message }) => message.startsWith(words)).length;
  const job = await submit(samples.beckett);
  await rename(join(folder.path, 'store'), join(folder.path, 'away'));
  const other = { ...job, transcript_id: randomUUID(), key: 'acme/x/bytes/a' };
  await broker.publisher.publishFirst(splitJob.create(other, { source: 'test' }));
  await eventually('the loss to be noticed', () => said('storage is away') > 0);
  await eventually('no work to be taken', () => worker.activeJobs() === 0);
  await rename(join(folder.path, 'away'), join(folder.path, 'store'));
  const returned = performance.now();
  const chunk = chunkFact.read((await fact(job, 'chunk')).event);
  expect(performance.now() - returned).toBeLessThan(15_000);
  expect(chunk).toMatchObject({ attempt: 1 });
  expect(said('storage is back')).toBe(1);
  const gaveUps = await broker.facts.last('transcripts.acme.*.gave_up.>');
  expect(gaveUps).toBeUndefined();
  await worker.close(5000);
});

it('does not start with an engine it does not know, and says which it knows', async () => {
  const config = {
    ...readConfig({ NATS_URL: server.url, EARSHOT_STORAGE_URL: 'file:/x' }),
    EARSHOT_ENGINES: 'parrot',
  };
  await expect(
    startTranscription({ config, broker, storage, parts: { ffmpeg, model }, log }),
  ).rejects.toThrow(/sherpa, google, not parrot/);
});
