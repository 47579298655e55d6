import { gaveUp } from '@earshot/contracts';
import { CodedError } from '@earshot/domain';
import { done, type Outcome } from '@earshot/jobs';
import { headers } from 'nats';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { aChunkJob, chunkResult, eventually, factsOf, testTopology, useBroker } from '../../test/support.ts';
import { applyTopology } from '../topology/apply.ts';
import type { EventHandler, TakenEvent } from './event-policy.ts';
import type { Loop } from './message-loop.ts';
import type { Settled } from './policy.ts';
import { startEventLoop } from './start-event-loop.ts';

/** What is not handed back would come too late for every wait. */
const ACK_WAIT_MS = 60_000;

describe('event loop', () => {
  const { broker, log } = useBroker();
  beforeAll(() => applyTopology(broker(), testTopology([], { ackWaitSeconds: ACK_WAIT_MS / 1_000 })));
  let loop: Loop | undefined;
  let id: string;
  const settled: Settled[] = [];
  beforeEach(() => {
    id = crypto.randomUUID();
    settled.length = 0;
  });
  afterEach(() => loop?.stop({ graceMs: 500, finishWithinMs: 0 }));

  const start = (handle: EventHandler, maxDeliveries?: number) => {
    loop = startEventLoop({
      broker: broker(),
      stream: 'UPLOADS',
      durable: 'ingest',
      slots: 10,
      handle,
      gaveUp: (_, error) =>
        gaveUp.create(
          {
            tenant_id: 'default',
            transcript_id: id,
            stage: 'accept',
            plan: 0,
            n: 0,
            generation: 0,
            attempt: 1,
            code: error.code,
            evidence: { detail: error.message },
          },
          { source: 'earshot/ingest' },
        ),
      settings: {
        ackWaitMs: ACK_WAIT_MS,
        guardMs: 300,
        backoff: () => 30,
        ...(maxDeliveries ? { maxDeliveries } : {}),
      },
      log,
      on: { settled: (message) => void settled.push(message.settled) },
    });
  };
  const upload = (payload: string, more?: Record<string, string>) => {
    const values = headers();
    for (const [name, value] of Object.entries(more ?? {})) values.set(name, value);
    return broker().requests.request('uploads.default', payload, { timeoutMs: 5_000, headers: values });
  };
  const left = async () => {
    const { state } = await broker().api.call<{ state: { messages: number } }>('STREAM.INFO.UPLOADS');
    return state.messages;
  };

  it('hands over what any program published, headers in lower case, and publishes what comes of it', async () => {
    const events: TakenEvent[] = [];
    const job = aChunkJob();
    start(async (event) => {
      events.push(event);
      return done(chunkResult(job));
    });
    await upload('whatever', { 'Ce-Id': '7', traceparent: 'tp' });
    await eventually('the end', () => settled.length === 1);
    expect(events[0]).toMatchObject({ subject: 'uploads.default', delivery: 1, traceparent: 'tp' });
    expect(events[0]?.headers['ce-id']).toBe('7');
    expect(Buffer.from(events[0]?.bytes ?? []).toString()).toBe('whatever');
    expect(await broker().facts.last(factsOf(job).chunk(1, 0))).toBeDefined();
    expect(await left()).toBe(0);
  });

  it('retry and later bring the event again after a delay, for ever while others are the trouble', async () => {
    const deliveries: number[] = [];
    start(async ({ delivery }): Promise<Outcome> => {
      deliveries.push(delivery);
      if (delivery < 4) return { kind: 'retry', error: new CodedError('unavailable') };
      return delivery < 6 ? { kind: 'later', after_ms: 20 } : done();
    }, 2);
    await upload('x');
    await eventually('the end', async () => (await left()) === 0);
    expect(deliveries).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it('gives up at once on what can never work, and keeps it as a fact', async () => {
    start(async () => {
      throw new CodedError('invalid_event', 'no uri');
    });
    await upload('x');
    const subject = `transcripts.default.${id}.gave_up.accept.0.0`;
    const fact = await eventually('the fact', () => broker().facts.last(subject));
    expect(fact.event.data).toMatchObject({ code: 'invalid_event', evidence: { detail: 'no uri' } });
    await eventually('the ack', async () => (await left()) === 0);
  });

  it('gives up on a bug of ours after a number of deliveries', async () => {
    start(async () => {
      throw new TypeError('undefined is not a function');
    }, 3);
    await upload('x');
    await eventually('the fact', () => broker().facts.last(`transcripts.default.${id}.gave_up.accept.0.0`));
    await eventually('the ack', async () => (await left()) === 0);
    await loop?.idle();
    expect(settled).toEqual(['retry', 'retry', 'give_up']);
  });

  it('hands an event back at once when stopped', async () => {
    start(
      ({ signal }) =>
        new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
    );
    await upload('x');
    await eventually('the start', () => loop?.active() === 1);
    await loop?.stop({ graceMs: 1_000, finishWithinMs: 0 });
    expect(settled).toEqual(['interrupted']);
    const deliveries: number[] = [];
    start(async ({ delivery }) => {
      deliveries.push(delivery);
      return done();
    });
    await eventually('the successor', () => deliveries.length === 1);
    expect(deliveries).toEqual([2]);
  });
});
