import {
  type ChunkJob,
  chunkFact,
  chunkJob,
  factSubjects,
  gaveUp,
  type OutgoingMessage,
  type Topology,
  topology,
} from '@earshot/contracts';
import type { JobKind } from '@earshot/jobs';
import { type Broker, connectBroker, type Log } from '@earshot/messaging';
import { eventually, startTestBroker, type TestBroker } from '@earshot/testkit';
import { afterAll, beforeAll } from 'vitest';

/** Lines a test may look at. */
export function recordingLog(): Log & {
  readonly lines: { level: string; fields: object; message: string }[];
} {
  const lines: { level: string; fields: object; message: string }[] = [];
  const at = (level: string) => (fields: object, message: string) =>
    void lines.push({ level, fields, message });
  return { lines, debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

/** One nats-server and one connection for a test file. */
export function useBroker(options: { maxFile?: number } = {}) {
  const log = recordingLog();
  let server: TestBroker | undefined;
  let broker: Broker | undefined;
  beforeAll(async () => {
    server = await startTestBroker(options);
    broker = await connectBroker({ servers: [server.url], name: 'test', log });
  });
  afterAll(async () => {
    await broker?.close();
    await server?.dispose();
  });
  const must = <T>(value: T | undefined): T => {
    if (!value) throw new Error('not started yet');
    return value;
  };
  return { log, server: () => must(server), broker: () => must(broker) };
}

/** An installation small and quick enough for tests; `engines` keep tests of one file apart. */
export function testTopology(
  engines: string[],
  overrides: Partial<Parameters<typeof topology>[0]> = {},
): Topology {
  return topology({
    engines,
    ackWaitSeconds: 2,
    maxAckPending: {},
    storeBytes: 100 * 1024 * 1024,
    factsDays: 7,
    replicas: 1,
    ...overrides,
  });
}

export { eventually };

/** A chunk job of a new transcript. */
export function aChunkJob(data: Partial<ChunkJob> = {}): ChunkJob {
  return {
    tenant_id: 'default',
    transcript_id: crypto.randomUUID(),
    plan: 1,
    n: 0,
    generation: 0,
    attempt: 1,
    engine: 'fake',
    lane: 'normal',
    key: 'default/x/chunks/1-0-abc',
    start_ms: 0,
    end_ms: 60_000,
    channels: 'auto',
    ...data,
  };
}

const source = { source: 'earshot/test' };

export const jobMessage = (data: ChunkJob): OutgoingMessage<ChunkJob> => chunkJob.create(data, source);

/** The fact a worker publishes for a chunk. */
export const chunkResult = (job: ChunkJob, worker = 'w1'): OutgoingMessage =>
  chunkFact.create(
    {
      tenant_id: job.tenant_id,
      transcript_id: job.transcript_id,
      plan: job.plan,
      n: job.n,
      generation: job.generation,
      attempt: job.attempt,
      start_ms: job.start_ms,
      end_ms: job.end_ms,
      engine: job.engine,
      model: 'fake',
      language: 'en',
      segments: [],
      speech_ms: 0,
      transcribed_ms: 0,
      worker,
      engine_ms: 1,
    },
    source,
  );

/** The policies of chunk jobs, as the transcription service has them. */
export const chunkKind: JobKind<ChunkJob> = {
  read: (event) => chunkJob.read(event as Parameters<typeof chunkJob.read>[0]),
  attempt: (data) => data.attempt,
  withAttempt: (data, attempt, traceparent) =>
    chunkJob.create({ ...data, attempt }, { ...source, traceparent }),
  gaveUp: (data, error, evidence, traceparent) =>
    gaveUp.create(
      {
        tenant_id: data.tenant_id,
        transcript_id: data.transcript_id,
        stage: 'chunk',
        plan: data.plan,
        n: data.n,
        generation: data.generation,
        attempt: data.attempt,
        code: error.code,
        evidence: {
          detail: error.message,
          worker: evidence.worker,
          ...(evidence.stderr_tail ? { stderr_tail: evidence.stderr_tail } : {}),
        },
        job: data,
      },
      { ...source, traceparent },
    ),
  statesSubject: (data) => factSubjects(data.tenant_id, data.transcript_id).states,
};

export const factsOf = (job: ChunkJob) => factSubjects(job.tenant_id, job.transcript_id);

/** Lets real time pass, for what must *not* happen in it; everything else waits for conditions. */
export const timePasses = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
