import { RECORDING_UPLOADED } from '@earshot/contracts';
import { describe, expect, it } from 'vitest';
import { type RawUpload, readUpload } from './read-upload.ts';
import { transcriptId, unreadableId } from './transcript-id.ts';

const TRACE = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
const raw = (payload: unknown, more: Partial<RawUpload> = {}): RawUpload => ({
  subject: 'uploads.acme',
  headers: {},
  bytes: Buffer.from(typeof payload === 'string' ? payload : JSON.stringify(payload)),
  ...more,
});
const event = {
  specversion: '1.0',
  id: 'call-7',
  source: 'shop/api',
  type: RECORDING_UPLOADED,
  data: { uri: 'acme/in/7.wav', session_id: 's' },
};
const upload = { tenant: 'acme', source: 'shop/api', event_id: 'call-7', data: event.data };

describe('readUpload', () => {
  it('reads the structured mode', () => {
    expect(readUpload(raw(event))).toMatchObject({ kind: 'upload', upload: { ...upload, fault: undefined } });
  });

  it('reads the binary mode, whatever the case of the header names, and decodes their values', () => {
    const headers = {
      'CE-SpecVersion': '1.0',
      'ce-ID': 'call%207%25',
      'Ce-Source': '%C3%BCber/api',
      'ce-type': RECORDING_UPLOADED,
      'ce-traceparent': TRACE,
      'content-type': 'application/json',
    };
    expect(readUpload(raw(event.data, { headers }))).toMatchObject({
      upload: { ...upload, source: 'über/api', event_id: 'call 7%', fault: undefined, traceparent: TRACE },
    });
  });

  it('reads the bare form; gs:// or not is one recording', () => {
    const [a, b] = ['gs://bucket/x.wav', 'bucket/x.wav'].map((gcs_path) =>
      readUpload(raw({ session_id: 's1', gcs_path })),
    );
    expect(a).toEqual(b);
    expect(a).toMatchObject({
      upload: {
        source: 's1',
        event_id: 'bucket/x.wav',
        data: { session_id: 's1', uri: 'gs://bucket/x.wav' },
      },
    });
    expect(readUpload(raw({ session_id: 's1', gcs_path: 'acme/x.wav', language: 'en' }))).toMatchObject({
      upload: { data: { uri: 'acme/x.wav', language: 'en' } },
    });
  });

  it('takes the tenant from the subject only', () => {
    const lying = { ...event, tenant_id: 'other', data: { ...event.data, tenant_id: 'other' } };
    expect(readUpload(raw(lying))).toMatchObject({ upload: { tenant: 'acme' } });
  });

  it('prefers the header of the trace over the extension, and ignores a bad one', () => {
    const inside = { ...event, traceparent: TRACE };
    expect(readUpload(raw(inside))).toMatchObject({ upload: { traceparent: TRACE } });
    expect(readUpload(raw(inside, { traceparent: 'from-header' }))).toMatchObject({
      upload: { traceparent: 'from-header' },
    });
    expect(readUpload(raw({ ...event, traceparent: 'nonsense' }))).toMatchObject({
      upload: { traceparent: undefined },
    });
  });

  it.each([
    ['another version', { ...event, specversion: '0.3' }],
    ['another type', { ...event, type: 'com.other.v1' }],
    ['no data', { ...event, data: undefined }],
    ['data that is a list', { ...event, data: [] }],
  ])('keeps the id of an event with %s, and says what is wrong', (_, payload) => {
    expect(readUpload(raw(payload))).toMatchObject({
      upload: { event_id: 'call-7', fault: { code: 'invalid_event' } },
    });
  });

  it.each([
    ['no JSON', '{"id":'],
    ['bytes', '\x00\x01'],
    ['a list', []],
    ['a number', 7],
    ['null', 'null'],
    ['an empty payload', ''],
    ['an empty id', { ...event, id: '' }],
    ['an id that is a number', { ...event, id: 7 }],
    ['a line break in the id', { ...event, id: 'a\nb' }],
    ['an id that is too long', { ...event, id: 'x'.repeat(513) }],
    ['no source', { ...event, source: undefined }],
    ['half of the bare form', { session_id: 's' }],
  ])('gives %s an id from its bytes', (_, payload) => {
    const message = raw(payload);
    expect(readUpload(message)).toMatchObject({
      kind: 'unreadable',
      tenant: 'acme',
      id: unreadableId('acme', message.bytes),
      error: { code: 'invalid_event' },
    });
  });

  it('gives a subject without a tenant to the default tenant', () => {
    expect(readUpload(raw(event, { subject: 'uploads.Not_A_Name' }))).toMatchObject({
      kind: 'unreadable',
      tenant: 'default',
    });
  });

  it('leads to the id that publishers compute themselves', () => {
    expect(transcriptId('acme', 'shop/api', 'call-7')).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-5/);
  });
});
