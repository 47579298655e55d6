import { accepted, factSubjects, finalFacts, gaveUp, splitFact, splitJob } from '@earshot/contracts';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Faults } from '../test/fake-broker.ts';
import { allKeys, codeOf, openWorld, uploadOf } from '../test/intake-world.ts';
import {
  acceptUpload,
  readManifest,
  storeRecording,
  transcriptId,
  type Upload,
  writeTombstone,
} from './index.ts';

const HOUR = 3_600_000;
const upload: Upload = {
  tenant: 'acme',
  source: 'shop/api',
  event_id: 'call-7',
  data: { uri: 'acme/in/7.wav', session_id: 's7', language: 'en', priority: 'low' },
  traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
};
const id = transcriptId('acme', 'shop/api', 'call-7');
const subjects = factSubjects('acme', id);
const about = { tenant_id: 'acme', transcript_id: id };

describe('acceptUpload', () => {
  let world: Awaited<ReturnType<typeof openWorld>>;
  beforeEach(async () => {
    world = await openWorld();
  });
  afterEach(() => world.close());

  const facts = () => world.broker.on('transcripts.>');
  const jobs = () => world.broker.on('jobs.>');
  const age = (ms: number) => {
    world.clock.now = new Date(world.clock.now.getTime() + ms);
  };

  it('makes the manifest, then the fact, then the job', async () => {
    const faults = new Faults();
    const deps = { ...world.deps, storage: faults.wrap(world.storage), publisher: faults.wrap(world.broker) };
    expect(await acceptUpload(upload, deps)).toBe('queued');
    expect(faults.calls).toEqual(['read', 'create', 'publishFirst', 'publishFirst']);
    expect(world.broker.messages.map(({ subject }) => subject)).toEqual([
      subjects.accepted,
      `jobs.split.low.acme.${id}`,
    ]);
    for (const message of world.broker.messages) expect(message.traceparent).toBe(upload.traceparent);
    expect(accepted.read(facts()[0]?.event as never)).toMatchObject({
      key: 'acme/in/7.wav',
      engine: 'sherpa',
      lane: 'low',
      options: { session_id: 's7' },
      accepted_at: '2026-11-23T12:00:00.000Z',
    });
    expect(splitJob.read(jobs()[0]?.event as never)).toMatchObject({
      ...about,
      plan: 1,
      generation: 0,
      attempt: 1,
      language: 'en',
    });
  });

  it('survives a crash at every step: one fact and one job, whatever was repeated', async () => {
    for (let call = 1; ; call += 1) {
      for (const when of ['before', 'after'] as const) {
        const here = await openWorld();
        const faults = new Faults({ call, when });
        const deps = {
          ...here.deps,
          storage: faults.wrap(here.storage),
          publisher: faults.wrap(here.broker),
        };
        const failed = await codeOf(acceptUpload(upload, deps));
        expect(await acceptUpload(upload, here.deps)).toBe('queued');
        expect(here.broker.on(subjects.any)).toHaveLength(1);
        expect(here.broker.on('jobs.>')).toHaveLength(1);
        await here.close();
        if (failed === 'none') {
          expect(call).toBeGreaterThan(4);
          return;
        }
      }
    }
  });

  it('accepts an event that comes 20 times at once, once', async () => {
    const results = await Promise.all(Array.from({ length: 20 }, () => acceptUpload(upload, world.deps)));
    expect(new Set(results)).toEqual(new Set(['queued']));
    expect(facts()).toHaveLength(1);
    expect(jobs()).toHaveLength(1);
    expect(await allKeys(world.storage)).toHaveLength(1);
  });

  it('takes over what the HTTP door stored, with its hash', async () => {
    const stored = await storeRecording(uploadOf(Buffer.from('sound')), world.deps);
    const event = world.broker.on('uploads.acme')[0]?.event;
    const data = event?.data as Record<string, unknown>;
    const door = { ...upload, source: event?.source ?? '', event_id: event?.id ?? '', data };
    expect(await acceptUpload(door, world.deps)).toBe('queued');
    expect(accepted.read(facts()[0]?.event as never)).toMatchObject({
      transcript_id: stored.id,
      key: data.uri,
      size_bytes: 5,
      sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
  });

  it('publishes the job again while only the acceptance is known', async () => {
    await acceptUpload(upload, world.deps);
    world.broker.forget('jobs.>');
    age(HOUR * 24);
    expect(await acceptUpload(upload, world.deps)).toBe('queued');
    expect(facts()).toHaveLength(1);
    expect(jobs()).toHaveLength(1);
  });

  const context = { source: 'test' };
  const final = {
    ...about,
    revision: 1,
    session_id: null,
    duration_ms: 1,
    speech_ms: 0,
    transcribed_ms: 0,
    error: null,
  };
  it.each([
    [
      'split',
      splitFact.create(
        { ...about, plan: 1, generation: 0, count: 0, duration_ms: 0, channels: 1, cuts: [] },
        context,
      ),
    ],
    ['canceled', finalFacts.canceled.create({ ...final, status: 'canceled' }, context)],
    ['deleted', finalFacts.deleted.create({ ...final, status: 'deleted' }, context)],
    ['completed', finalFacts.completed.create({ ...final, status: 'completed' }, context)],
    [
      'gave_up',
      gaveUp.create(
        {
          ...about,
          stage: 'split',
          plan: 1,
          n: 0,
          generation: 0,
          attempt: 5,
          code: 'corrupt',
          evidence: { detail: '' },
        },
        context,
      ),
    ],
  ])('leaves a transcript alone that is %s already', async (_, fact) => {
    await acceptUpload(upload, world.deps);
    world.broker.forget('jobs.>');
    await world.broker.publish(fact);
    expect(await acceptUpload(upload, world.deps)).toBe('settled');
    expect(jobs()).toEqual([]);
  });

  it('makes no second job when the facts have aged out: the reconciler decides then', async () => {
    await acceptUpload(upload, world.deps);
    world.broker.messages = [];
    age(HOUR);
    expect(await acceptUpload(upload, world.deps)).toBe('left');
    expect(facts()).toHaveLength(1);
    expect(jobs()).toEqual([]);
  });

  it('calls a manifest young for half the age of facts when that is less than an hour', async () => {
    const deps = { ...world.deps, factsAgeMs: 60_000 };
    await acceptUpload(upload, deps);
    world.broker.messages = [];
    age(29_999);
    expect(await acceptUpload(upload, deps)).toBe('queued');
    world.broker.messages = [];
    age(1);
    expect(await acceptUpload(upload, deps)).toBe('left');
  });

  it('acknowledges the event of a deleted transcript', async () => {
    await acceptUpload(upload, world.deps);
    await writeTombstone(world.storage, 'acme', id, world.clock.now);
    world.broker.messages = [];
    expect(await acceptUpload(upload, world.deps)).toBe('deleted');
    expect(world.broker.messages).toEqual([]);
  });

  it.each([
    ['another address', { ...upload.data, uri: 'acme/in/8.wav' }],
    ['other options', { ...upload.data, language: 'de' }],
    ['invalid options', { ...upload.data, priority: 'urgent' }],
    ['a foreign address', { ...upload.data, uri: 'gs://bucket/8.wav' }],
  ])('does not let the same event id mean %s', async (_, data) => {
    await acceptUpload(upload, world.deps);
    world.broker.messages = [];
    expect(await acceptUpload({ ...upload, data }, world.deps)).toBe('other_data');
    expect(world.broker.messages).toEqual([]);
    expect(await readManifest(world.storage, 'acme', id)).toMatchObject({ uri: 'acme/in/7.wav' });
  });

  it.each([
    [{ uri: 'gs://bucket/7.wav' }, 'forbidden_bucket'],
    [{ uri: 'gs://acme-uploads-2/7.wav' }, 'forbidden_bucket'],
    [{ uri: 'gs://acme-uploads/../x/7.wav' }, 'forbidden_key'],
    [{ uri: 'GS://acme-uploads/7.wav' }, 'unsupported_uri'],
    [{ uri: 'https://x.test/7.wav' }, 'unsupported_uri'],
    [{ uri: 'umbrella/in/7.wav' }, 'forbidden_key'],
    [{ uri: 'acme/in/7.wav', engine: 'none-such' }, 'unknown_engine'],
    [{ uri: 'acme/in/7.wav', channels: 'left' }, 'invalid_event'],
    [{}, 'invalid_event'],
  ])('refuses %o with %s and leaves nothing', async (data, code) => {
    expect(await codeOf(acceptUpload({ ...upload, data }, world.deps))).toBe(code);
    expect(world.broker.messages).toEqual([]);
    expect(await allKeys(world.storage)).toEqual([]);
  });

  it('takes a recording in a bucket of its tenant where it lies, once', async () => {
    const uri = 'gs://acme-uploads/in/7.wav';
    const placed = { ...upload, data: { uri } };
    expect(await acceptUpload(placed, world.deps)).toBe('queued');
    expect(await acceptUpload(placed, world.deps)).toBe('queued');
    expect(jobs()).toHaveLength(1);
    expect(await readManifest(world.storage, 'acme', id)).toMatchObject({ uri });
    expect(jobs().map(({ event }) => event.data)).toEqual([expect.objectContaining({ key: uri })]);
  });

  it('keeps an acceptance whose engine was removed afterwards', async () => {
    await acceptUpload(upload, world.deps);
    world.broker.engines.clear();
    expect(await acceptUpload(upload, world.deps)).toBe('queued');
  });

  it('gives the same event id of another tenant its own transcript', async () => {
    const other = { ...upload, tenant: 'umbrella', data: { uri: 'umbrella/in/7.wav' } };
    await acceptUpload(upload, world.deps);
    await acceptUpload(other, world.deps);
    expect(new Set(facts().map(({ subject }) => subject)).size).toBe(2);
    expect(jobs()).toHaveLength(2);
  });
});
