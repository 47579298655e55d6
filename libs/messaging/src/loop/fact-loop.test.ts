import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  aChunkJob,
  chunkResult,
  eventually,
  recordingLog,
  testTopology,
  useBroker,
} from '../../test/support.ts';
import { applyTopology } from '../topology/apply.ts';
import { findConsumer, findStream } from '../topology/lookup.ts';
import { type FactLoop, type FactLoopOptions, startFactLoop } from './fact-loop.ts';
import type { ReceivedFact } from './received-fact.ts';

describe('fact loop', () => {
  const { broker, server } = useBroker();
  const loops: FactLoop[] = [];
  let log = recordingLog();
  beforeEach(async () => {
    log = recordingLog();
    if (await findStream(broker().api, 'TRANSCRIPTS')) await broker().api.call('STREAM.DELETE.TRANSCRIPTS');
    await applyTopology(broker(), testTopology([]));
  });
  afterEach(async () => {
    await Promise.all(loops.splice(0).map((loop) => loop.stop()));
  });

  const start = (handle: FactLoopOptions['handle'], options: Partial<FactLoopOptions> = {}) => {
    const loop = startFactLoop({ broker: broker(), log, handle, ...options });
    loops.push(loop);
    return loop;
  };
  const publish = async (count: number) => {
    const job = aChunkJob();
    const numbers = Array.from({ length: count }, (_, n) => n);
    await Promise.all(numbers.map((n) => broker().publisher.publish(chunkResult({ ...job, n }))));
  };
  const consumer = () => findConsumer(broker().api, 'TRANSCRIPTS', 'results');
  const allAcknowledged = () =>
    eventually('all acks', async () => {
      const found = await consumer();
      return found?.num_pending === 0 && found.num_ack_pending === 0;
    });

  it('hands facts over in batches of at most maxBatch and acknowledges them', async () => {
    await publish(230);
    const sizes: number[] = [];
    const seen = new Set<number>();
    start(
      async (batch) => {
        sizes.push(batch.length);
        for (const { seq } of batch) seen.add(seq);
      },
      { maxBatch: 100 },
    );
    await eventually('all facts', () => seen.size === 230);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(100);
    expect(sizes.length).toBeLessThan(30);
    await allAcknowledged();
  });

  it('gives each fact with its event, place and trace', async () => {
    const facts: ReceivedFact[] = [];
    start(async (batch) => void facts.push(...batch));
    const message = { ...chunkResult(aChunkJob()), traceparent: 'tp' };
    await broker().publisher.publish(message);
    await eventually('the fact', () => facts.length === 1);
    expect(facts[0]).toMatchObject({
      subject: message.subject,
      event: message.event,
      delivery: 1,
      traceparent: 'tp',
    });
    expect(facts[0]?.seq).toBe((await findStream(broker().api, 'TRANSCRIPTS'))?.state.last_seq);
    expect(facts[0]?.time.getTime()).toBeGreaterThan(Date.now() - 10_000);
  });

  it('hands over what is no event with its bytes', async () => {
    const facts: ReceivedFact[] = [];
    start(async (batch) => void facts.push(...batch));
    await broker().requests.request('transcripts.default.x.odd', '{"no', { timeoutMs: 5_000 });
    await eventually('the fact', () => facts.length === 1);
    expect(facts[0]?.event).toBeUndefined();
    expect(Buffer.from(facts[0]?.bytes ?? []).toString()).toBe('{"no');
  });

  it('hands a failed batch over again with nothing acknowledged meanwhile', async () => {
    await publish(5);
    const tries: number[][] = [];
    start(async (batch) => {
      tries.push(batch.map(({ seq }) => seq));
      if (tries.length < 3) {
        expect((await consumer())?.num_ack_pending).toBe(5);
        throw new Error('the database is away');
      }
    });
    await allAcknowledged();
    expect(tries).toEqual([tries[0], tries[0], tries[0]]);
    expect(log.lines.filter(({ level }) => level === 'warn')).toHaveLength(2);
  });

  it('keeps a failing batch by beats for longer than ack_wait', async () => {
    const live = (await consumer())?.config;
    const config = { ...live, ack_wait: 2e9 };
    await broker().api.call('CONSUMER.CREATE.TRANSCRIPTS.results', {
      stream_name: 'TRANSCRIPTS',
      action: 'update',
      config,
    });
    await publish(3);
    const startedAt = performance.now();
    const deliveries: number[] = [];
    start(
      async (batch) => {
        if (performance.now() - startedAt < 4_500) throw new Error('the database is away');
        deliveries.push(...batch.map(({ delivery }) => delivery));
      },
      { ackWaitMs: 2_000 },
    );
    await allAcknowledged();
    expect(deliveries).toEqual([1, 1, 1]);
  });

  it('hands everything back when stopped in trouble', async () => {
    await publish(5);
    let tries = 0;
    const loop = start(async () => {
      tries += 1;
      throw new Error('the database is away');
    });
    await eventually('a failure', () => tries > 0);
    await loop.stop();
    const seen: number[] = [];
    start(async (batch) => void seen.push(...batch.map(({ delivery }) => delivery)));
    await eventually('the successor', () => seen.length === 5);
    expect(seen).toEqual([2, 2, 2, 2, 2]);
  });

  it('loses nothing across kill -9 of the broker', async () => {
    const seen = new Set<string>();
    start(async (batch) => {
      for (const { event } of batch) seen.add(event?.id ?? '');
    });
    const job = aChunkJob();
    const messages = Array.from({ length: 200 }, (_, n) => chunkResult({ ...job, n }));
    const publishing = messages.map((message) => broker().publisher.publish(message));
    await server().kill();
    await server().start();
    await Promise.all(publishing);
    await eventually('all facts', () => messages.every(({ event }) => seen.has(event.id)));
  });

  it('survives a consumer that is re-made', async () => {
    const seen: number[] = [];
    start(async (batch) => void seen.push(...batch.map(({ seq }) => seq)));
    await publish(1);
    await eventually('the first', () => seen.length === 1);
    await broker().api.call('CONSUMER.DELETE.TRANSCRIPTS.results');
    await eventually('a warning', () => log.lines.some(({ level }) => level === 'warn'));
    await applyTopology(broker(), testTopology([]));
    await publish(1);
    await eventually('both facts', () => new Set(seen).size === 2);
  });
});
