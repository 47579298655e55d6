import { type Context, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import {
  InMemorySpanExporter,
  NodeTracerProvider,
  type ReadableSpan,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-node';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { MessageSpans, noteOutcome } from './message-spans.ts';
import { remoteParent } from './traceparent.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const PARENT = 'b7ad6b7169203331';
const TRACEPARENT = `00-${TRACE}-${PARENT}-01`;
const ID = '3f2504e0-4f89-41d3-9a0c-0305e82c3301';
const FACT = { subject: `transcripts.default.${ID}.completed`, traceparent: TRACEPARENT };
const JOB = {
  ...{
    subject: `jobs.chunk.sherpa.low.default.${ID}.1.7`,
    durable: 'chunk-sherpa-low',
    id: 'event-1',
    bytes: 300,
  },
  ...{ traceparent: TRACEPARENT, delivery: 2, attempt: 3 },
};
const CHUNK = 'jobs.chunk.{engine}.{lane}.{tenant}.{id}.{plan}.{n}';

let server = '10.0.0.1:4222';
const spans = new MessageSpans('earshot-test', () => server);

/** A span of its own in which `work` runs, as that of a request. */
function within<T>(work: () => Promise<T>, parent?: Context): Promise<T> {
  const tracer = trace.getTracer('test');
  const run = (span: ReturnType<typeof tracer.startSpan>) => work().finally(() => span.end());
  return parent ? tracer.startActiveSpan('request', {}, parent, run) : tracer.startActiveSpan('request', run);
}

it('without an SDK nothing is changed, and the traceparent that came goes on', async () => {
  expect(await spans.publish(FACT, async (sent) => sent)).toBe(TRACEPARENT);
  expect(await spans.publish({ ...FACT, traceparent: undefined }, async (sent) => sent)).toBeUndefined();
  expect(await spans.process(JOB, async () => 'worked')).toBe('worked');
  expect(await spans.processBatch({ subject: 'TRANSCRIPTS' }, [JOB], async () => 'stored')).toBe('stored');
  expect(await spans.settle('ack', JOB, async () => true)).toBe(true);
});

describe('with an SDK', () => {
  const exporter = new InMemorySpanExporter();
  const provider = new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
  const named = (name: string): ReadableSpan => {
    const found = exporter.getFinishedSpans().filter((span) => span.name === name);
    expect([name, found.length]).toEqual([name, 1]);
    return found[0] as ReadableSpan;
  };
  const parentOf = (span: ReadableSpan) => [span.spanContext().traceId, span.parentSpanContext?.spanId];
  const idOf = (span: ReadableSpan) => span.spanContext().spanId;

  beforeAll(() => provider.register());
  beforeEach(() => exporter.reset());
  afterAll(async () => {
    await provider.shutdown();
    trace.disable();
  });

  it('a message is published in its own trace, and carries the span of its publication', async () => {
    const sent = await spans.publish(FACT, async (traceparent) => traceparent);
    const span = named('publish transcripts.{tenant}.{id}.completed');
    expect(sent).toBe(`00-${TRACE}-${idOf(span)}-01`);
    expect(parentOf(span)).toEqual([TRACE, PARENT]);
    expect(span).toMatchObject({
      kind: SpanKind.PRODUCER,
      links: [],
      status: { code: SpanStatusCode.UNSET },
    });
  });

  it('is the child of the work in the same trace, and is linked to work in another one', async () => {
    await within(() => spans.publish(FACT, async () => undefined), remoteParent(TRACEPARENT));
    const inside = named('publish transcripts.{tenant}.{id}.completed');
    expect(parentOf(inside)).toEqual([TRACE, idOf(named('request'))]);
    expect(inside.links).toEqual([]);
    exporter.reset();
    await within(() => spans.publish(FACT, async () => undefined));
    const linked = named('publish transcripts.{tenant}.{id}.completed');
    expect(parentOf(linked)).toEqual([TRACE, PARENT]);
    expect(linked.links.map(({ context }) => context.spanId)).toEqual([idOf(named('request'))]);
  });

  it('joins the work at hand where the message names no trace, or a malformed one', async () => {
    for (const traceparent of [undefined, 'nonsense', `00-${'0'.repeat(32)}-${PARENT}-01`]) {
      exporter.reset();
      await within(() => spans.publish({ ...FACT, traceparent }, async () => undefined));
      const published = named('publish transcripts.{tenant}.{id}.completed');
      expect(published.parentSpanContext?.spanId).toBe(idOf(named('request')));
    }
  });

  it('a message in work has been received before, with delivery and attempt, and its work hangs below that', async () => {
    let sentBefore: string[] = [];
    await spans.process(JOB, async (span) => {
      sentBefore = exporter.getFinishedSpans().map(({ name }) => name);
      await spans.publish(FACT, async () => undefined);
      await spans.settle('ack', JOB, async () => undefined);
      noteOutcome(span, 'done', undefined);
    });
    expect(sentBefore).toEqual([`receive ${CHUNK}`]);
    const received = named(`receive ${CHUNK}`);
    expect(parentOf(received)).toEqual([TRACE, PARENT]);
    for (const name of [`process ${CHUNK}`, `ack ${CHUNK}`, 'publish transcripts.{tenant}.{id}.completed']) {
      expect([name, ...parentOf(named(name))]).toEqual([name, TRACE, idOf(received)]);
    }
    expect(named(`process ${CHUNK}`).attributes).toMatchObject({
      ...{ 'earshot.delivery': 2, 'earshot.attempt': 3, 'earshot.outcome': 'done' },
      ...{ 'messaging.system.name': 'nats', 'messaging.client.id': 'earshot-test' },
      ...{ 'messaging.operation.name': 'process', 'messaging.operation.type': 'process' },
      ...{ 'messaging.destination.name': JOB.subject, 'messaging.destination.template': CHUNK },
      ...{ 'messaging.destination.subscription.name': 'chunk-sherpa-low', 'messaging.message.id': 'event-1' },
      'messaging.message.body.size': 300,
    });
  });

  it('work that fails, and an outcome that is a failure, end their span in an error', async () => {
    const failure = Object.assign(new Error('too short'), { code: 'corrupt' });
    await expect(spans.process(JOB, () => Promise.reject(failure))).rejects.toBe(failure);
    expect(named(`process ${CHUNK}`)).toMatchObject({
      status: { code: SpanStatusCode.ERROR, message: 'too short' },
      attributes: { 'error.type': 'corrupt' },
    });
    exporter.reset();
    await spans.process(JOB, async (span) => noteOutcome(span, 'retry', failure));
    expect(named(`process ${CHUNK}`).attributes).toMatchObject({
      'error.type': 'corrupt',
      'earshot.outcome': 'retry',
    });
  });

  it('a batch has a trace of its own, and each of its messages a span in that of the message, linked to the batch', async () => {
    const facts = ['completed', 'failed'].map((state) => ({
      ...JOB,
      subject: `transcripts.default.${ID}.${state}`,
    }));
    const batch = { subject: 'TRANSCRIPTS' };
    await expect(
      within(() => spans.processBatch(batch, facts, () => Promise.reject(new Error('away')))),
    ).rejects.toThrow('away');
    const whole = named('process TRANSCRIPTS');
    expect(whole.parentSpanContext).toBeUndefined();
    expect(whole.attributes['messaging.batch.message_count']).toBe(2);
    for (const state of ['completed', 'failed']) {
      const single = named(`process transcripts.{tenant}.{id}.${state}`);
      expect(parentOf(single)).toEqual([TRACE, PARENT]);
      expect(single.links.map(({ context }) => context.spanId)).toEqual([idOf(whole)]);
      expect(single.status.code).toBe(SpanStatusCode.ERROR);
    }
  });

  it('an answer to the broker outside of any work makes no span', async () => {
    await spans.settle('nak', JOB, async () => undefined);
    expect(exporter.getFinishedSpans()).toEqual([]);
  });

  it('tells the server of the moment, also after a reconnect to another one', async () => {
    const address = async () => {
      exporter.reset();
      await spans.publish(FACT, async () => undefined);
      const { attributes } = named('publish transcripts.{tenant}.{id}.completed');
      return [attributes['server.address'], attributes['server.port']];
    };
    expect(await address()).toEqual(['10.0.0.1', 4222]);
    server = '10.0.0.2:4223';
    expect(await address()).toEqual(['10.0.0.2', 4223]);
  });
});
