import { chunkJobSubject, finalFacts, type GaveUp } from '@earshot/contracts';
import { CodedError } from '@earshot/domain';
import { done, type Outcome } from '@earshot/jobs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { JobBench, untilAborted } from '../../test/job-bench.ts';
import { chunkResult, eventually, factsOf, jobMessage, timePasses, useBroker } from '../../test/support.ts';

describe('outcomes of a job', () => {
  const { broker, server } = useBroker();
  let bench: JobBench;
  beforeEach(async () => {
    bench = await new JobBench(broker).start();
  });
  afterEach(() => bench.stop());

  const gaveUpFact = (job: ReturnType<JobBench['job']>) =>
    eventually('the gave_up fact', async () => {
      const fact = await broker().facts.last(factsOf(job).gaveUp('chunk', job.plan, job.n));
      return fact?.event.data as GaveUp | undefined;
    });

  it('done: publishes its facts and the jobs it asks for, then the job is gone', async () => {
    const next = bench.job({ n: 1, engine: 'nobody' });
    const loop = bench.loop(async ({ data }) => done(jobMessage(next), chunkResult(data)));
    const job = await bench.publish();
    await eventually('the end', () => loop.seen.settled.length === 1);
    expect(loop.seen.settled[0]).toMatchObject({ settled: 'done', delivery: 1 });
    expect(await broker().facts.last(factsOf(job).chunk(1, 0))).toBeDefined();
    const subject = chunkJobSubject({ ...next, tenant: next.tenant_id, id: next.transcript_id });
    await broker().api.call('STREAM.MSG.GET.JOBS', { last_by_subj: subject });
    expect(await bench.left()).toBe(0);
  });

  it('done, by the second of two workers: changes nothing, is counted and acknowledged', async () => {
    const job = bench.job();
    await broker().publisher.publishFirst(chunkResult(job, 'first'));
    const loop = bench.loop(async ({ data }) => done(chunkResult(data, 'second')));
    await bench.publish(job);
    await eventually('the end', () => loop.seen.settled.length === 1);
    expect(loop.seen.alreadyThere).toEqual([factsOf(job).chunk(1, 0)]);
    const fact = await broker().facts.last(factsOf(job).chunk(1, 0));
    expect(fact?.event.data).toMatchObject({ worker: 'first' });
  });

  it('retry: comes again after backoff with the next attempt and the same trace, then gives up with evidence', async () => {
    const attempts: [number, number, string | undefined][] = [];
    const loop = bench.loop(
      async ({ data, delivery, traceparent }): Promise<Outcome> => {
        attempts.push([data.attempt, delivery, traceparent]);
        return { kind: 'retry', error: new CodedError('engine_error', 'no luck'), stderr_tail: 'last words' };
      },
      { settings: { maxAttempts: 3 } },
    );
    const job = bench.job();
    await broker().publisher.publishFirst({ ...jobMessage(job), traceparent: 'tp' });
    const fact = await gaveUpFact(job);
    expect(attempts).toEqual([
      [1, 1, 'tp'],
      [2, 1, 'tp'],
      [3, 1, 'tp'],
    ]);
    expect(fact).toMatchObject({ attempt: 3, code: 'engine_error', job: { attempt: 3 } });
    expect(fact.evidence).toEqual({ detail: 'no luck', worker: 'test-worker', stderr_tail: 'last words' });
    await eventually('the queue to be empty', async () => (await bench.left()) === 0);
    await loop.idle();
    expect(loop.seen.settled.map(({ settled }) => settled)).toEqual(['retry', 'retry', 'give_up']);
  });

  it('later: comes again with the same attempt', async () => {
    const attempts: number[] = [];
    bench.loop(async ({ data }): Promise<Outcome> => {
      attempts.push(data.attempt);
      return attempts.length < 3 ? { kind: 'later', after_ms: 20 } : done();
    });
    await bench.publish({ attempt: 2 });
    await eventually('three runs', () => attempts.length === 3);
    expect(attempts).toEqual([2, 2, 2]);
  });

  it('give_up: publishes gave_up even where one of an older generation lies', async () => {
    bench.loop(async (): Promise<Outcome> => ({ kind: 'give_up', error: new CodedError('corrupt') }));
    const job = await bench.publish();
    expect((await gaveUpFact(job)).generation).toBe(0);
    await bench.publish({ ...job, generation: 1 });
    await eventually('the second', async () => (await gaveUpFact(job)).generation === 1);
  });

  it.each([
    ['missing_object', 'give_up'],
    ['invalid_request', 'give_up'],
    ['engine_error', 'retry'],
    ['internal', 'retry'],
  ] as const)('a thrown %s is %s', async (code, settled) => {
    const loop = bench.loop(async () => {
      throw new CodedError(code);
    });
    await bench.publish();
    await eventually('the end', () => loop.seen.settled.length > 0);
    expect(loop.seen.settled[0]?.settled).toBe(settled);
  });

  it('20 deliveries of one message count as one failed attempt and the count starts again', async () => {
    const job = await bench.publish();
    const subject = `$JS.API.CONSUMER.MSG.NEXT.JOBS.chunk-${bench.engine}-normal`;
    for (let count = 1; count < 20; count += 1) {
      const message = await broker().connection.request(subject, '1', { timeout: 5_000, noMux: true });
      await broker().requests.request(message.reply ?? '', '-NAK', { timeoutMs: 2_000 });
    }
    const runs: [number, number][] = [];
    const loop = bench.loop(async ({ data, delivery }) => {
      runs.push([data.attempt, delivery]);
      return done(chunkResult(data));
    });
    await eventually('the result', () => broker().facts.last(factsOf(job).chunk(1, 0)));
    expect(runs).toEqual([[2, 1]]);
    expect(loop.seen.settled[0]).toMatchObject({ delivery: 20, settled: 'retry' });
  });

  it('a job nobody can read is given up on as far as its subject tells, and never loops', async () => {
    const loop = bench.loop(async () => done());
    const send = async (payload: string, n: number) => {
      const { tenant_id: tenant, transcript_id: id, plan, lane } = bench.job();
      const subject = chunkJobSubject({ engine: bench.engine, lane, tenant, id, plan, n });
      await broker().requests.request(subject, payload, { timeoutMs: 2_000 });
      return bench.job({ transcript_id: id, n });
    };
    const poison = await send('{"not json', 3);
    const misfit = await send('{"type":"earshot.job.chunk.v1","data":{"generation":2}}', 4);
    expect(await gaveUpFact(poison)).toMatchObject({ code: 'unreadable_message', generation: 0, n: 3 });
    expect(await gaveUpFact(misfit)).toMatchObject({ code: 'unreadable_message', generation: 2, n: 4 });
    const odd = `jobs.chunk.${bench.engine}.high.too.short`;
    await broker().requests.request(odd, 'null', { timeoutMs: 2_000 });
    await eventually('the queue to be empty', async () => (await bench.left()) === 0);
    await loop.idle();
    expect(loop.seen.settled).toHaveLength(3);
    expect(bench.log.lines.filter(({ level }) => level === 'error')).toHaveLength(3);
  });

  it('a canceled transcript’s job is acknowledged unrun', async () => {
    const job = bench.job();
    await broker().publisher.publish(canceled(job));
    let runs = 0;
    const loop = bench.loop(async () => {
      runs += 1;
      return done();
    });
    await bench.publish(job);
    await eventually('the end', () => loop.seen.settled.length === 1);
    expect(loop.seen.settled[0]?.settled).toBe('canceled');
    expect(runs).toBe(0);
    expect(await bench.left()).toBe(0);
  });

  it('a transcript canceled in mid work aborts it within a beat, and the job is gone', async () => {
    const loop = bench.loop(({ signal }) => untilAborted(signal));
    const job = await bench.publish();
    await eventually('the start', () => loop.active() === 1);
    await broker().publisher.publish(canceled(job));
    await eventually('the end', () => loop.seen.settled.length === 1);
    expect(loop.seen.settled[0]?.settled).toBe('canceled');
    expect(await bench.left()).toBe(0);
  });

  it('a result too large to be published is a failed attempt, not a loop', async () => {
    bench.loop(
      async ({ data }) => {
        const fact = chunkResult(data);
        return done({ ...fact, event: { ...fact.event, data: 'x'.repeat(950_000) } });
      },
      { settings: { maxAttempts: 2 } },
    );
    const job = await bench.publish();
    expect(await gaveUpFact(job)).toMatchObject({ code: 'internal', attempt: 2 });
  });

  it('a result the full broker refuses postpones the job without an attempt', async () => {
    const info = await broker().api.call<{ config: object }>('STREAM.INFO.TRANSCRIPTS');
    await broker().api.call('STREAM.UPDATE.TRANSCRIPTS', { ...info.config, max_bytes: 1 });
    const loop = bench.loop(async ({ data }) => done(chunkResult(data)));
    const job = await bench.publish({ attempt: 2 });
    await eventually('the end', () => loop.seen.settled.length === 1);
    expect(loop.seen.settled[0]?.settled).toBe('unpublished');
    const later = await broker().api.call<{ message: { data: string } }>('STREAM.MSG.GET.JOBS', {
      last_by_subj: `jobs.later.chunk.${bench.engine}.>`,
    });
    const event = JSON.parse(Buffer.from(later.message.data, 'base64').toString());
    expect(event.data).toEqual(job);
    await broker().api.call('STREAM.UPDATE.TRANSCRIPTS', info.config);
  });

  it('a broker restarted in mid work neither takes the job away nor loses its result', async () => {
    // The broker may end a lease up to a second early after a restart.
    const patient = await new JobBench(broker).start({ ackWaitSeconds: 6 });
    let runs = 0;
    const loop = patient.loop(
      async ({ data }) => {
        runs += 1;
        // Consumer state reaches the disk within 100 ms; a delivery forgotten by a crash before that comes again.
        await timePasses(400);
        await server().kill();
        await server().start();
        return done(chunkResult(data));
      },
      { settings: { ackWaitMs: 6_000 } },
    );
    const job = await patient.publish();
    await eventually('the end', () => loop.seen.settled.length === 1);
    expect(loop.seen.settled[0]?.settled).toBe('done');
    expect(await broker().facts.last(factsOf(job).chunk(1, 0))).toBeDefined();
    expect(runs).toBe(1);
    await eventually('an empty queue', async () => (await patient.left()) === 0);
    await patient.stop();
  });
});

const canceled = (job: ReturnType<JobBench['job']>) =>
  finalFacts.canceled.create(
    {
      tenant_id: job.tenant_id,
      transcript_id: job.transcript_id,
      revision: 1,
      status: 'canceled',
      session_id: null,
      duration_ms: null,
      speech_ms: 0,
      transcribed_ms: 0,
      error: null,
    },
    { source: 'earshot/results' },
  );
