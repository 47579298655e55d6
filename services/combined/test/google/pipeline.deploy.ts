import { randomUUID } from 'node:crypto';
import { SAMPLE_RATE, writeWav } from '@earshot/audio';
import { DEFAULT_TENANT, RECORDING_UPLOADED, uploadSubject } from '@earshot/contracts';
import { transcriptId } from '@earshot/intake';
import { eventually, sayNumber } from '@earshot/testkit';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { GsWorld, UPLOADS } from './gs-world.ts';

let world: GsWorld;
const useWorld = (store: 'bucket' | 'folder') => {
  beforeAll(async () => {
    world = await GsWorld.start(inject('goTools')['fake-gcs-server'], store);
  });
  afterAll(() => world?.close());
};

/** A recording that says the numbers from `first` on, one a second. */
function saying(first: number, seconds: number): Buffer {
  const pcm = new Int16Array(seconds * SAMPLE_RATE);
  for (let n = 0; n < seconds; n += 1) pcm.set(sayNumber(first + n), n * SAMPLE_RATE);
  return writeWav(pcm, 1, SAMPLE_RATE);
}

const spoken = (first: number, seconds: number) =>
  Array.from({ length: seconds }, (_, n) => String(first + n)).join(' ');

/** Publishes an upload event as a product's API does; the id of its transcript can be computed. */
async function uploaded(data: Record<string, unknown>): Promise<string> {
  const [source, id] = ['https://api.example.com/uploads', randomUUID()];
  const event = { specversion: '1.0', type: RECORDING_UPLOADED, source, id, data } as const;
  const { publisher } = await world.connection();
  await publisher.publish({ subject: uploadSubject(DEFAULT_TENANT), event, traceparent: undefined } as never);
  return transcriptId(DEFAULT_TENANT, source, id);
}

async function keysOf(name: 'uploads' | 'ours'): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of world.bucket(name).list('')) keys.push(key);
  return keys;
}

describe('from an upload event to the transcript', () => {
  useWorld('bucket');

  it('a recording in a bucket is read where it lies, paid for once, and stays', async () => {
    await world.bucket('uploads').put('calls/one.wav', saying(100, 30));
    const before = await world.bucket('uploads').stat('calls/one.wav');
    const id = await uploaded({ uri: `gs://${UPLOADS}/calls/one.wav`, session_id: 's-1', language: 'en' });
    const transcript = await world.finished(id);
    expect(transcript).toMatchObject({
      status: 'completed',
      text: spoken(100, 30),
      duration_ms: 30_000,
      session_id: 's-1',
      engine: 'google',
    });
    const words = transcript.segments.flatMap((segment) => segment.words);
    expect(words.every(({ timing, confidence }) => timing === 'exact' && confidence !== null)).toBe(true);
    expect(world.speech.bill().map(({ audio }) => audio)).toEqual([`gs://${UPLOADS}/calls/one.wav`]);
    expect(await world.bucket('uploads').stat('calls/one.wav')).toEqual(before);
    expect((await keysOf('ours')).filter((key) => /\/(chunks|bytes)\//.test(key))).toEqual([]);
    const audio = await fetch(`${await world.url('results')}/v1/transcripts/${id}/audio`);
    expect(Buffer.from(await audio.arrayBuffer()).equals(saying(100, 30))).toBe(true);
    const usage = await (await world.client('results')).usage.get();
    expect(usage.total.billed_ms).toBe(30_000);
  });

  it('one uploaded through our own door is read where we keep it', async () => {
    const paid = world.speech.bill().length;
    const file = new Blob([new Uint8Array(saying(500, 20))]);
    const { id } = await (await world.client('ingest')).recordings.create({ file });
    expect(await world.finished(id)).toMatchObject({ status: 'completed', text: spoken(500, 20) });
    const calls = world.speech.bill().slice(paid);
    expect(calls.map(({ audio }) => audio)).toEqual([
      expect.stringMatching(new RegExp(`^gs://earshot-store/earshot/default/${id}/bytes/`)),
    ]);
    await eventually('nothing to be left of the call', async () =>
      (await keysOf('ours')).every((key) => !key.includes('/text/')),
    );
  });

  it('one whose worker is killed while Google works on it is not paid for again', async () => {
    const paid = world.speech.bill().length;
    await world.bucket('uploads').put('calls/slow.wav', saying(700, 10));
    world.speech.behave({ operationMs: 600_000 });
    const id = await uploaded({ uri: `gs://${UPLOADS}/calls/slow.wav` });
    await eventually('the paid call', async () => world.speech.bill().length > paid, 30_000);
    for (const worker of world.workers) await worker.kill();
    await world.startWorker();
    world.speech.behave({ operationMs: 0 });
    expect(await world.finished(id)).toMatchObject({ status: 'completed', text: spoken(700, 10) });
    expect(world.speech.bill().length - paid).toBe(1);
  });

  it.each([
    ['a bucket that is not the tenant’s', 'gs://other-uploads/calls/one.wav', 'forbidden_bucket'],
    ['a folder that is not the tenant’s', `gs://${UPLOADS}/private/one.wav`, 'forbidden_bucket'],
    ['our own store', 'gs://earshot-store/earshot/other/recordings/x', 'forbidden_bucket'],
  ])('nothing is read from %s', async (_, uri, code) => {
    const paid = world.speech.bill().length;
    const transcript = await world.finished(await uploaded({ uri }));
    expect(transcript).toMatchObject({ status: 'failed', error: { code } });
    expect(world.speech.bill().length).toBe(paid);
  });
});

describe('where recordings are kept in a folder', () => {
  useWorld('folder');

  it('they are brought to the staging bucket for their call, and nothing stays there', async () => {
    const file = new Blob([new Uint8Array(saying(900, 20))]);
    const { id } = await (await world.client('ingest')).recordings.create({ file });
    expect(await world.finished(id)).toMatchObject({ status: 'completed', text: spoken(900, 20) });
    expect(world.speech.bill().map(({ audio }) => audio)).toEqual([
      expect.stringMatching(new RegExp(`^gs://earshot-store/staging/default/${id}/calls/1-0-google-1/`)),
    ]);
    await eventually('an empty staging bucket', async () => (await keysOf('ours')).length === 0);
  });

  it('those in a bucket are read there all the same', async () => {
    const paid = world.speech.bill().length;
    await world.bucket('uploads').put('calls/two.wav', saying(300, 10));
    const id = await uploaded({ uri: `gs://${UPLOADS}/calls/two.wav` });
    expect(await world.finished(id)).toMatchObject({ status: 'completed', text: spoken(300, 10) });
    expect(world.speech.bill()[paid]?.audio).toBe(`gs://${UPLOADS}/calls/two.wav`);
  });
});
