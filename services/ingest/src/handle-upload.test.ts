import { accepted, factSubjects, finalFacts, gaveUp, RECORDING_UPLOADED, splitJob } from '@earshot/contracts';
import { transcriptId, unreadableId } from '@earshot/intake';
import { eventually } from '@earshot/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type IngestWorld, openIngest } from '../test/ingest-world.ts';

const TRACE = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

describe('upload events', () => {
  let world: IngestWorld;
  beforeAll(async () => {
    world = await openIngest();
  });
  afterAll(() => world.close());

  const envelope = (id: string, data: object, more: object = {}) =>
    JSON.stringify({ specversion: '1.0', id, source: 'shop/api', type: RECORDING_UPLOADED, data, ...more });
  const taken = () => eventually('all events to be taken', async () => (await world.uploadsLeft()) === 0);
  const last = (subject: string) =>
    eventually(subject, async () => (await world.broker.facts.last(subject))?.event);
  const idOf = (event: string, tenant = 'acme') => transcriptId(tenant, 'shop/api', event);
  const jobOf = async (id: string) =>
    Object.entries(await world.subjects('JOBS')).filter(([subject]) => subject.includes(id));

  it('come three times and are accepted once', async () => {
    for (let i = 0; i < 3; i += 1)
      await world.publish('uploads.acme', envelope('thrice', { uri: 'acme/a.wav' }));
    await taken();
    const facts = factSubjects('acme', idOf('thrice'));
    expect(accepted.read(await last(facts.accepted))).toMatchObject({ tenant_id: 'acme', key: 'acme/a.wav' });
    expect((await world.subjects('TRANSCRIPTS'))[facts.accepted]).toBe(1);
    expect(await jobOf(idOf('thrice'))).toEqual([[`jobs.split.normal.acme.${idOf('thrice')}`, 1]]);
  });

  it('carry their trace into fact and job, from header or extension', async () => {
    await world.publish('uploads.acme', envelope('traced', { uri: 'acme/a.wav' }), { traceparent: TRACE });
    await world.publish('uploads.acme', '{"uri":"acme/a.wav"}', {
      'ce-specversion': '1.0',
      'ce-id': 'binary',
      'ce-source': 'shop/api',
      'ce-type': RECORDING_UPLOADED,
      'ce-traceparent': TRACE,
    });
    await taken();
    for (const id of [idOf('traced'), idOf('binary')]) {
      const stored = await world.broker.api.call<{ message: { hdrs: string; data: string } }>(
        'STREAM.MSG.GET.JOBS',
        {
          last_by_subj: `jobs.split.*.acme.${id}`,
        },
      );
      expect(Buffer.from(stored.message.hdrs, 'base64').toString()).toContain(TRACE);
      splitJob.read(JSON.parse(Buffer.from(stored.message.data, 'base64').toString()));
    }
  });

  it.each([
    ['forbidden_bucket', { uri: 'gs://bucket/a.wav', session_id: 's9' }],
    ['unsupported_uri', { uri: 'https://x.test/a.wav' }],
    ['forbidden_key', { uri: 'umbrella/a.wav' }],
    ['unknown_engine', { uri: 'acme/a.wav', engine: 'whisper' }],
    ['invalid_event', { uri: 'acme/a.wav', priority: 'urgent' }],
  ])('that can never be accepted give up with %s and keep the event', async (code, data) => {
    await world.publish('uploads.acme', envelope(code, data), { traceparent: TRACE, 'x-secret': 'no' });
    const facts = factSubjects('acme', idOf(code));
    const fact = gaveUp.read(await last(facts.gaveUp('accept', 0, 0)));
    expect(fact).toMatchObject({
      stage: 'accept',
      code,
      evidence: { trace_id: TRACE.split('-')[1] },
      job: { subject: 'uploads.acme', event: { id: code, data } },
    });
    expect(JSON.stringify(fact)).not.toContain('x-secret');
    expect(await world.broker.facts.last(facts.accepted)).toBeUndefined();
    expect(await jobOf(idOf(code))).toEqual([]);
    await taken();
  });

  it('that cannot be read give up under an id of their bytes, which are kept up to 64 KB', async () => {
    const small = Buffer.from([0xff, 0, 1, 2]);
    const large = Buffer.alloc(100_000, 0xfe);
    for (const bytes of [small, large]) await world.publish('uploads.acme', bytes);
    const read = async (bytes: Buffer) =>
      gaveUp.read(await last(factSubjects('acme', unreadableId('acme', bytes)).gaveUp('accept', 0, 0)));
    expect((await read(small)).job).toMatchObject({ payload_base64: small.toString('base64') });
    expect((await read(large)).job).toMatchObject({
      payload_base64: large.subarray(0, 65_536).toString('base64'),
      truncated: true,
    });
    await taken();
  });

  it('with the id of another event change nothing', async () => {
    await world.publish('uploads.acme', envelope('taken', { uri: 'acme/first.wav' }));
    await last(factSubjects('acme', idOf('taken')).accepted);
    const before = world.ingest.counts.other_data;
    await world.publish('uploads.acme', envelope('taken', { uri: 'acme/second.wav' }));
    await world.publish('uploads.acme', envelope('taken', { uri: 7 }));
    await taken();
    expect(world.ingest.counts.other_data).toBe(before + 2);
    expect(
      Object.keys(await world.subjects('TRANSCRIPTS')).filter((subject) => subject.includes(idOf('taken'))),
    ).toHaveLength(1);
  });

  it('of a canceled transcript are only acknowledged', async () => {
    const id = idOf('canceled');
    const about = { tenant_id: 'acme', transcript_id: id, revision: 1, session_id: null, duration_ms: null };
    const rest = { speech_ms: 0, transcribed_ms: 0, error: null, status: 'canceled' as const };
    await world.broker.publisher.publish(
      finalFacts.canceled.create({ ...about, ...rest }, { source: 'test' }),
    );
    await world.publish('uploads.acme', envelope('canceled', { uri: 'acme/a.wav' }));
    await taken();
    expect(await jobOf(id)).toEqual([]);
  });

  it('wait while the broker is away and are accepted when it is back', async () => {
    await world.publish('uploads.acme', envelope('patient', { uri: 'acme/a.wav' }));
    await world.server.kill();
    await world.server.start();
    await eventually(
      'the acceptance',
      () => world.broker.facts.last(factSubjects('acme', idOf('patient')).accepted),
      30_000,
    );
  });
});
