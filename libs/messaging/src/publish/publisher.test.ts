import { setTimeout as pause } from 'node:timers/promises';
import {
  type ChunkJob,
  chunkJobSubject,
  gaveUp,
  laterSubject,
  type OutgoingMessage,
} from '@earshot/contracts';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  aChunkJob,
  chunkResult,
  eventually,
  factsOf,
  jobMessage,
  testTopology,
  useBroker,
} from '../../test/support.ts';
import { applyTopology } from '../topology/apply.ts';
import { findStream } from '../topology/lookup.ts';
import { allowedHeaders } from './headers.ts';
import { BrokerPublisher } from './publisher.ts';

const subjectOf = (job: ChunkJob) =>
  chunkJobSubject({ ...job, tenant: job.tenant_id, id: job.transcript_id });

describe('publisher', () => {
  const { broker, server } = useBroker();
  beforeAll(() => applyTopology(broker(), testTopology(['fake'])));

  const stored = async (subject: string) => {
    const body = { last_by_subj: subject };
    const { message } = await broker().api.call<{ message: { hdrs?: string; data: string } }>(
      'STREAM.MSG.GET.JOBS',
      body,
    );
    return {
      headers: Buffer.from(message.hdrs ?? '', 'base64').toString(),
      event: JSON.parse(Buffer.from(message.data, 'base64').toString()),
    };
  };

  it('stores a structured CloudEvent with its trace', async () => {
    const job = aChunkJob();
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    await broker().publisher.publish({ ...jobMessage(job), traceparent });
    const { headers, event } = await stored(subjectOf(job));
    expect(event).toMatchObject({ specversion: '1.0', type: 'earshot.job.chunk.v1', data: job });
    expect(headers).toContain(`traceparent: ${traceparent}`);
    expect(headers).toContain('content-type: application/cloudevents+json');
  });

  it('lets only the first of many at once onto a subject', async () => {
    const job = aChunkJob();
    const tries = Array.from({ length: 20 }, () => broker().publisher.publishFirst(jobMessage(job)));
    const results = await Promise.all(tries);
    expect(results.filter((result) => result === 'stored')).toHaveLength(1);
    expect(results.filter((result) => result === 'already_there')).toHaveLength(19);
  });

  it('looks at a wider scope when given one', async () => {
    const job = aChunkJob();
    const { any } = factsOf(job);
    expect(await broker().publisher.publishFirst(chunkResult(job), any)).toBe('stored');
    expect(await broker().publisher.publishFirst(chunkResult({ ...job, n: 1 }), any)).toBe('already_there');
    expect(await broker().publisher.publishFirst(chunkResult({ ...job, n: 1 }))).toBe('stored');
  });

  it('puts a job on its own subject at the time asked for, with its trace and without the schedule', async () => {
    const job = aChunkJob({ attempt: 2 });
    const at = new Date(Date.now() + 600);
    await broker().publisher.publishLater({ ...jobMessage(job), traceparent: 'tp' }, at);
    expect((await stored(laterSubject(subjectOf(job)))).event.data.attempt).toBe(2);
    const fired = await eventually('the job', () => stored(subjectOf(job)));
    expect(Date.now()).toBeGreaterThanOrEqual(at.getTime() - 50);
    expect(fired.event.data).toEqual(job);
    expect(fired.headers).toContain('traceparent: tp');
    expect(fired.headers).not.toContain('Nats-Schedule:');
  });

  it('replaces the schedule of the same job', async () => {
    const job = aChunkJob();
    await broker().publisher.publishLater(jobMessage({ ...job, attempt: 2 }), new Date(Date.now() + 300));
    await broker().publisher.publishLater(jobMessage({ ...job, attempt: 3 }), new Date(Date.now() + 600));
    const fired = await eventually('the job', () => stored(subjectOf(job)));
    expect(fired.event.data.attempt).toBe(3);
  });

  it('refuses a header that is not on the list', () => {
    expect(() => allowedHeaders({ 'Nats-Rollup': 'all' } as never)).toThrow(/may not be published/);
  });

  it('refuses a message the broker could not carry, and the connection lives on', async () => {
    const huge: OutgoingMessage = {
      ...jobMessage(aChunkJob()),
      event: { ...jobMessage(aChunkJob()).event, data: { text: 'x'.repeat(950_000) } },
    };
    await expect(broker().publisher.publish(huge)).rejects.toMatchObject({ code: 'internal' });
    expect(await broker().ping()).toBeGreaterThan(0);
  });

  it('says unavailable when there is no stream for the subject, within its limit', async () => {
    const limited = new BrokerPublisher(broker().requests, broker().spans, { totalMs: 300, tryMs: 100 });
    const message = { ...jobMessage(aChunkJob()), subject: 'elsewhere.x' };
    const startedAt = performance.now();
    await expect(limited.publish(message)).rejects.toMatchObject({ code: 'unavailable' });
    // It would be 10 s without one.
    expect(performance.now() - startedAt).toBeLessThan(8_000);
  });

  it('says unavailable when the broker hangs', async () => {
    const limited = new BrokerPublisher(broker().requests, broker().spans, { totalMs: 500, tryMs: 200 });
    server().pause();
    await expect(limited.publish(jobMessage(aChunkJob()))).rejects.toMatchObject({ code: 'unavailable' });
    server().resume();
    await broker().ping();
  });

  it('loses nothing it reported as stored, and repeats what got no answer, across kill -9 in mid publish', async () => {
    const jobs = Array.from({ length: 400 }, () => aChunkJob());
    const restart = (async () => {
      for (let kill = 0; kill < 3; kill += 1) {
        await pause(60);
        await server().kill();
        await server().start();
      }
    })();
    const publishing = jobs.map(async (job, index) => {
      await pause(index);
      return broker().publisher.publishFirst(chunkResult(job));
    });
    const results = await Promise.all(publishing);
    await restart;
    expect(results).toHaveLength(400);
    for (const job of jobs) expect(await broker().facts.last(factsOf(job).chunk(1, 0))).toBeDefined();
  });

  it('reports a repeated first publish whose ack was lost as already there', async () => {
    const job = aChunkJob();
    const message = chunkResult(job);
    expect(await broker().publisher.publishFirst(message)).toBe('stored');
    expect(await broker().publisher.publishFirst(message)).toBe('already_there');
    expect((await broker().facts.last(factsOf(job).any))?.event.id).toBe(message.event.id);
  });
});

describe('publisher on a full broker', () => {
  const { broker } = useBroker();
  beforeAll(() => applyTopology(broker(), testTopology(['fake'], { storeBytes: 1024 * 1024 })));

  it('says storage_full at once, and stores again after a purge', async () => {
    const job = aChunkJob();
    const evidence = { detail: 'x'.repeat(100_000) };
    const big = (n: number) =>
      gaveUp.create(
        {
          tenant_id: 'default',
          transcript_id: job.transcript_id,
          stage: 'chunk',
          plan: 1,
          n,
          generation: 0,
          attempt: 1,
          code: 'internal',
          evidence,
        },
        { source: 'test' },
      );
    const fill = async () => {
      for (let n = 0; n < 20; n += 1) await broker().publisher.publish(big(n));
    };
    const startedAt = performance.now();
    await expect(fill()).rejects.toMatchObject({ code: 'storage_full' });
    expect(performance.now() - startedAt).toBeLessThan(10_000);
    await broker().api.call('STREAM.PURGE.TRANSCRIPTS');
    await broker().publisher.publish(big(0));
    expect((await findStream(broker().api, 'TRANSCRIPTS'))?.state.messages).toBe(1);
  });
});

describe('publisher on a full account', () => {
  const { broker } = useBroker({ maxFile: 2 * 1024 * 1024 });
  beforeAll(() => applyTopology(broker(), testTopology(['fake'], { storeBytes: 1024 * 1024 })));

  it('says storage_full also where the stream has no limit of its own', async () => {
    const fill = async () => {
      for (let n = 0; n < 10; n += 1) {
        const message = jobMessage(aChunkJob());
        await broker().publisher.publish({
          ...message,
          event: { ...message.event, data: { padding: 'x'.repeat(500_000) } },
        });
      }
    };
    await expect(fill()).rejects.toMatchObject({ code: 'storage_full' });
  });
});
