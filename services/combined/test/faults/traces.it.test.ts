import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Client } from '@earshot/client';
import { eventually, type OtlpReceiver, type ReceivedSpan, startOtlpReceiver } from '@earshot/testkit';
import { connect, headers } from 'nats';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Fault } from '../../../transcription/test/fake-cloud/behaviour.ts';
import { FaultWorld } from './fault-world.ts';
import { noise } from './recording.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const CALLER = 'b7ad6b7169203331';
const CHUNK = 'jobs.chunk.{engine}.{lane}.{tenant}.{id}.{plan}.{n}';
const LATER = CHUNK.replace('jobs.', 'jobs.later.');
const SPLIT = 'jobs.split.{lane}.{tenant}.{id}';
const FACT = 'transcripts.{tenant}.{id}';

let receiver: OtlpReceiver;
let world: FaultWorld;

beforeAll(async () => {
  receiver = await startOtlpReceiver();
  const env = { ...receiver.env, EARSHOT_TRACE_URL_TEMPLATE: 'https://traces.test/{trace_id}' };
  world = await FaultWorld.start({ workers: 2, env });
});
afterAll(async () => {
  await world?.close();
  await receiver?.close();
});

/** Publishes an upload event as a product would: with nothing but the NATS client, and the trace it is in. */
async function publishUpload(seconds: number): Promise<void> {
  await mkdir(join(world.storage, 'default'), { recursive: true });
  await writeFile(
    join(world.storage, 'default/call.wav'),
    Buffer.from(await noise(seconds, 1).arrayBuffer()),
  );
  const traced = headers();
  traced.set('traceparent', `00-${TRACE}-${CALLER}-01`);
  const connection = await connect({ servers: world.broker.url });
  const event = {
    ...{ specversion: '1.0', id: 'call-1', source: 'product', type: 'earshot.recording.uploaded.v1' },
    data: { uri: 'default/call.wav' },
  };
  await connection.jetstream().publish('uploads.default', JSON.stringify(event), { headers: traced });
  await connection.close();
}

const inTrace = () => receiver.spans.filter(({ traceId }) => traceId === TRACE);
const named = (name: string) => inTrace().filter((span) => span.name === name);
const parentOf = (span: ReceivedSpan) => inTrace().find(({ spanId }) => spanId === span.parentSpanId);
const parentNames = (name: string) => [...new Set(named(name).map((span) => parentOf(span)?.name))];
const chunksOf = (spans: readonly ReceivedSpan[]) =>
  spans.map(({ attributes }) => Number(String(attributes['messaging.destination.name']).split('.').at(-1)));
const ofChunk = (name: string, n: number) => named(name).filter((span) => chunksOf([span])[0] === n);

/** The spans of a trace whose parent is none of it. */
function entryOf(trace: string): ReceivedSpan[] {
  const spans = receiver.spans.filter(({ traceId }) => traceId === trace);
  const ids = new Set(spans.map(({ spanId }) => spanId));
  return spans.filter(({ parentSpanId }) => !ids.has(parentSpanId));
}

/** Processes send in their own time: waits for the last span, and for one entry to be all that has no parent. */
const complete = (trace: string) =>
  eventually('the whole trace', () => {
    const ended = receiver.spans.some(
      ({ traceId, name }) => traceId === trace && name === `process ${FACT}.completed`,
    );
    return ended && entryOf(trace).length === 1;
  });

it('one recording is one trace over all processes, with a hand-over from a killed worker in it', async () => {
  await world.cloud.behave({ answer_ms: 2_500 });
  await publishUpload(12);
  const run = await world.run('the first chunk', () => true);
  // What a process has not sent when it is killed is lost: here only what it had not finished.
  const sent = () => named(`process ${SPLIT}`).length === 1;
  const taken = () => ofChunk(`receive ${CHUNK}`, run.n).length === 1;
  await eventually('the spans before the kill', () => sent() && taken());
  await run.worker.kill();
  const { trace_id, trace_url } = await world.finished(run.transcript_id);
  expect([trace_id, trace_url]).toEqual([TRACE, `https://traces.test/${TRACE}`]);
  await complete(TRACE);
  await eventually('the end of every chunk', () => named(`process ${CHUNK}`).length === 3);

  const entry = entryOf(TRACE);
  expect(entry.map(({ name, service, parentSpanId }) => [name, service, parentSpanId]).sort()).toEqual([
    ['receive uploads.{tenant}', 'earshot-ingest', CALLER],
  ]);
  const parents = {
    'process uploads.{tenant}': 'receive uploads.{tenant}',
    [`publish ${FACT}.accepted`]: 'receive uploads.{tenant}',
    [`publish ${SPLIT}`]: 'receive uploads.{tenant}',
    [`receive ${SPLIT}`]: `publish ${SPLIT}`,
    [`publish ${CHUNK}`]: `receive ${SPLIT}`,
    [`receive ${CHUNK}`]: `publish ${CHUNK}`,
    [`process ${CHUNK}`]: `receive ${CHUNK}`,
    [`ack ${CHUNK}`]: `receive ${CHUNK}`,
    engine: `receive ${CHUNK}`,
    [`publish ${FACT}.chunk.{plan}.{n}`]: `receive ${CHUNK}`,
    [`process ${FACT}.chunk.{plan}.{n}`]: `publish ${FACT}.chunk.{plan}.{n}`,
    [`process ${FACT}.completed`]: `publish ${FACT}.completed`,
  };
  const received = () => ofChunk(`receive ${CHUNK}`, run.n);
  await eventually(
    'every span',
    () =>
      Object.keys(parents).every((name) => named(name).length > 0) &&
      named('engine').length === 3 &&
      named(`publish ${CHUNK}`).length === 3 &&
      received().length === 2,
  );
  for (const [name, parent] of Object.entries(parents))
    expect([name, parentNames(name)]).toEqual([name, [parent]]);
  expect(chunksOf(named(`publish ${CHUNK}`)).sort()).toEqual([0, 1, 2]);

  const engines = named('engine').map(({ attributes }) => attributes);
  expect(engines).toHaveLength(3);
  for (const attributes of engines) {
    expect(attributes).toMatchObject({ 'earshot.engine': 'free', 'earshot.audio_seconds': 4 });
    expect(attributes['earshot.realtime_factor']).toBeGreaterThan(0);
  }
  const deliveries = received().map(({ attributes }) => attributes['earshot.delivery']);
  expect(deliveries).toEqual([1, 2]);
  expect(ofChunk(`process ${CHUNK}`, run.n).map(({ attributes }) => attributes)).toMatchObject([
    { 'earshot.delivery': 2, 'earshot.attempt': 1, 'earshot.outcome': 'done' },
  ]);
});

it('each fact is linked to the batch in which results stored it, and the batch holds the queries', async () => {
  const batches = () =>
    new Map(
      receiver.spans.filter(({ name }) => name === 'process TRANSCRIPTS').map((span) => [span.spanId, span]),
    );
  const facts = inTrace().filter(({ name }) => name.startsWith(`process ${FACT}.`));
  expect(facts.length).toBeGreaterThanOrEqual(6);
  await eventually('the spans of all batches', () =>
    facts.every(({ links }) => batches().has(links[0]?.spanId ?? '')),
  );
  for (const fact of facts) {
    expect(fact.links).toHaveLength(1);
    expect(batches().get(fact.links[0]?.spanId ?? '')?.service).toBe('earshot-results');
  }
  const queries = receiver.spans.filter(
    ({ attributes }) => attributes['db.system'] ?? attributes['db.system.name'],
  );
  const held = queries.filter(({ traceId }) =>
    [...batches().values()].some((batch) => batch.traceId === traceId),
  );
  expect(held.length).toBeGreaterThan(0);
});

it('a recording that comes in by HTTP begins its trace at the door, where the caller names none', async () => {
  const { trace_id } = await world.finished(await world.submit());
  const ofTrace = () => receiver.spans.filter(({ traceId }) => traceId === trace_id);
  await complete(String(trace_id));
  const entry = entryOf(String(trace_id));
  expect(entry.map(({ service, kind, parentSpanId }) => [service, kind, parentSpanId])).toEqual([
    ['earshot-ingest', 2, ''],
  ]);
  expect(ofTrace().some(({ name }) => name === 'publish uploads.{tenant}')).toBe(true);
});

/** A new recording of a single chunk whose calls meet `faults`, in its final state, and what belongs to its trace. */
async function traceWith(faults: Fault[]) {
  await world.cloud.behave({ answer_ms: 0, faults });
  const transcript = await world.finished(await world.submit());
  const trace = String(transcript.trace_id);
  const spansOf = (name: string) =>
    receiver.spans.filter((span) => span.traceId === trace && span.name === name);
  return { transcript, trace, spansOf };
}

const outcomes = (spans: readonly ReceivedSpan[]) =>
  spans.map(({ attributes }) => [attributes['earshot.attempt'], attributes['earshot.outcome']]);

it('a chunk that fails once is in its trace with both attempts, the second behind the schedule of the first', async () => {
  const { transcript, trace, spansOf } = await traceWith(['error']);
  expect(transcript.status).toBe('completed');
  await complete(trace);
  const ended = await eventually('both attempts', () => {
    const spans = spansOf(`process ${CHUNK}`);
    const around = spansOf(`receive ${CHUNK}`).length === 2 && spansOf(`publish ${LATER}`).length > 0;
    return spans.length === 2 && around && spans;
  });
  expect(outcomes(ended)).toEqual([
    [1, 'retry'],
    [2, 'done'],
  ]);
  expect(ended.map(({ status }) => status)).toEqual([2, 0]);
  const [first, second] = spansOf(`receive ${CHUNK}`);
  const [later, ...others] = spansOf(`publish ${LATER}`);
  expect(others).toEqual([]);
  expect(later?.parentSpanId).toBe(first?.spanId);
  expect(second?.parentSpanId).toBe(later?.spanId);
});

it('a dead letter that is replayed goes on in the trace of its recording, linked to the request that asked for it', async () => {
  const { transcript, trace, spansOf } = await traceWith(['unreadable']);
  expect(transcript.status).toBe('failed');
  const client = new Client({ baseUrl: await world.url('results') });
  for await (const { id } of client.deadLetters.list({ transcript_id: transcript.id })) {
    await client.deadLetters.replay(id);
  }
  await eventually('the replay', async () => (await world.transcript(transcript.id)).status === 'completed');
  const ended = await eventually('both works', () => {
    const spans = spansOf(`process ${CHUNK}`);
    const around = spansOf(`receive ${CHUNK}`).length === 2 && entryOf(trace).length === 1;
    return spans.length === 2 && around && spansOf(`process ${FACT}.completed`).length === 1 && spans;
  });
  expect(outcomes(ended)).toEqual([
    [1, 'give_up'],
    [1, 'done'],
  ]);
  expect(entryOf(trace)).toHaveLength(1);
  const again = spansOf(`publish ${CHUNK}`).find(({ service }) => service === 'earshot-results');
  await eventually('the span of the request', () =>
    receiver.spans.some(
      ({ traceId, name }) => traceId === again?.links[0]?.traceId && /POST.*dead-letters.*replay/.test(name),
    ),
  );
  const [, received] = spansOf(`receive ${CHUNK}`);
  expect(received?.parentSpanId).toBe(again?.spanId);
});
