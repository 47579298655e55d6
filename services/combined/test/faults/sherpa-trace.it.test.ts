import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Client } from '@earshot/client';
import {
  embeddedOptionsFromEnv,
  linkSpeechModel,
  resolveFfmpeg,
  resolveSpeechModel,
} from '@earshot/embedded';
import { eventually, type OtlpReceiver, startOtlpReceiver, tempFolder } from '@earshot/testkit';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { FaultWorld } from './fault-world.ts';
import { ServiceProcess } from './service-process.ts';

let receiver: OtlpReceiver;
let folder: Awaited<ReturnType<typeof tempFolder>>;
let world: FaultWorld;
let worker: ServiceProcess;
let sample: Blob;

beforeAll(async () => {
  [receiver, folder] = await Promise.all([startOtlpReceiver(), tempFolder()]);
  const local = { ...receiver.env, EARSHOT_ENGINES: 'sherpa' };
  world = await FaultWorld.start({ workers: 0, env: local });
  const options = embeddedOptionsFromEnv(process.env);
  const [ffmpeg, model] = await Promise.all([resolveFfmpeg(options), resolveSpeechModel(options)]);
  const parts = await linkSpeechModel(model, join(folder.path, 'model'));
  sample = new Blob([await readFile(model.samples.find((path) => path.endsWith('beckett.wav')) ?? '')]);
  worker = new ServiceProcess('worker', ['services/transcription/dist/main.js'], {
    ...local,
    NATS_URL: world.broker.url,
    EARSHOT_STORAGE_URL: pathToFileURL(world.storage).href,
    EARSHOT_FFMPEG_BIN: ffmpeg.path,
    EARSHOT_MODEL_DIR: parts,
    EARSHOT_ACK_WAIT_SECONDS: '5',
    WORKER_CONCURRENCY: '1',
    PORT: '0',
  });
  await worker.logged('that it is ready', ({ msg }) => msg === 'worker ready');
}, 120_000);
afterAll(async () => {
  await worker?.kill();
  await world?.close();
  await receiver?.close();
  await folder?.remove();
});

it('the steps of the local engine in its child process are spans with audio, realtime factor and model', async () => {
  const client = new Client({ baseUrl: await world.url('ingest') });
  const { id } = await client.recordings.create({ file: sample });
  const { trace_id, duration_ms } = await world.finished(id);
  const spansOf = (name: string) =>
    receiver.spans.filter((span) => span.traceId === trace_id && span.name === name);
  const [engine] = await eventually('the span of the engine', () => {
    const spans = spansOf('engine');
    return spans.length === 1 && spans;
  });
  const seconds = (duration_ms ?? 0) / 1000;
  expect(engine?.service).toBe('earshot-transcription');
  expect(engine?.attributes).toMatchObject({ 'earshot.engine': 'sherpa' });
  expect(engine?.attributes['earshot.model']).toMatch(/moonshine/i);
  expect(engine?.attributes['earshot.audio_seconds']).toBeCloseTo(seconds, 1);
  const took = ((engine?.endMs ?? 0) - (engine?.startMs ?? 0)) / 1000;
  const factor = Number(engine?.attributes['earshot.realtime_factor']);
  // The span also holds the way to the child process and back.
  expect(factor).toBeGreaterThan(0);
  expect(factor * seconds).toBeLessThanOrEqual(took + 0.01);

  const steps = await eventually('a span of each step', () => {
    const found = ['voice activity', 'recognition'].map((name) => spansOf(name));
    return found.every((spans) => spans.length === 1) && found;
  });
  for (const step of steps.flat()) {
    expect(step.parentSpanId).toBe(engine?.spanId);
    expect(step.endMs).toBeGreaterThan(step.startMs);
    expect(step.startMs).toBeGreaterThanOrEqual((engine?.startMs ?? 0) - 1);
    expect(step.endMs).toBeLessThanOrEqual((engine?.endMs ?? 0) + 1);
  }
  const decodes = await eventually('both spans of reading', () => {
    const spans = spansOf('decode');
    return spans.length === 2 && spans;
  });
  // Of the split, with the length of what was decoded; of the chunk, beside its engine.
  expect(decodes.filter(({ attributes }) => attributes['earshot.audio_seconds'] !== undefined)).toHaveLength(
    1,
  );
  expect(decodes.filter(({ parentSpanId }) => parentSpanId === engine?.parentSpanId)).toHaveLength(1);
});
