import {
  DEFAULT_TENANT,
  envelopeFindings,
  isName,
  isSessionUpload,
  RECORDING_UPLOADED,
} from '@earshot/contracts';
import { CodedError } from '@earshot/domain';
import type { Upload } from './accept-upload.ts';
import { unreadableId } from './transcript-id.ts';

/** A message as it lies in UPLOADS. */
export interface RawUpload {
  readonly subject: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly bytes: Uint8Array;
  readonly traceparent?: string | undefined;
}

/** An upload event with a usable key, or what cannot be read and the id under which it is given up on. */
export type ReadUpload =
  | { readonly kind: 'upload'; readonly upload: Upload }
  | { readonly kind: 'unreadable'; readonly tenant: string; readonly id: string; readonly error: CodedError };

type Attributes = Record<string, unknown>;

const CONTROL = /\p{Cc}/u;
const TRACEPARENT = /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}/;

/**
 * Reads an upload event in any of its forms: structured (a JSON envelope), binary (`ce-*` headers) or a bare
 * `{session_id, gcs_path}`. The tenant is the subject's, whatever the payload says. Never throws.
 */
export function readUpload(raw: RawUpload): ReadUpload {
  const tenant = raw.subject.split('.')[1] ?? '';
  if (!isName(tenant)) {
    return unreadable(raw, DEFAULT_TENANT, `the subject ${raw.subject.slice(0, 200)} names no tenant`);
  }
  const headers = lowerCased(raw.headers);
  const payload = parseJson(raw.bytes);
  const isBinary = 'ce-id' in headers || 'ce-specversion' in headers;
  if (isBinary) return fromAttributes(raw, tenant, { ...attributesOf(headers), data: payload });
  if (!isObject(payload)) return unreadable(raw, tenant, 'the payload is not a JSON object');
  if (isSessionUpload(payload) && !('specversion' in payload)) return fromSession(raw, tenant, payload);
  return fromAttributes(raw, tenant, payload);
}

function fromAttributes(raw: RawUpload, tenant: string, event: Attributes): ReadUpload {
  const { id, source, data } = event;
  if (!isKey(id) || !isKey(source)) {
    return unreadable(raw, tenant, 'the event has no id and source of 1 to 512 printable characters');
  }
  const traceparent = raw.traceparent ?? traceparentOf(event.traceparent);
  const upload = { tenant, source, event_id: id, data: isObject(data) ? data : {}, traceparent };
  return { kind: 'upload', upload: { ...upload, fault: faultOf(event) } };
}

/** The address without `gs://` is part of the key, so that both spellings are one recording. */
function fromSession(
  raw: RawUpload,
  tenant: string,
  session: { session_id: string; gcs_path: string },
): ReadUpload {
  const { gcs_path, ...options } = session;
  const path = gcs_path.replace(/^gs:\/\//, '');
  if (!isKey(session.session_id, 256) || !isKey(path, 2048)) {
    return unreadable(raw, tenant, 'session_id and gcs_path must be printable');
  }
  const isOurs = path === gcs_path && path.startsWith(`${tenant}/`);
  const data = { ...options, uri: isOurs ? path : `gs://${path}` };
  const identity = { tenant, source: session.session_id, event_id: path };
  return { kind: 'upload', upload: { ...identity, data, traceparent: raw.traceparent } };
}

function faultOf(event: Attributes): CodedError | undefined {
  const errors = envelopeFindings(event);
  if (errors.length > 0) return new CodedError('invalid_event', 'the event is no CloudEvent 1.0', { errors });
  if (event.type !== RECORDING_UPLOADED) {
    return new CodedError('invalid_event', `the type is ${event.type}, not ${RECORDING_UPLOADED}`);
  }
  return isObject(event.data) ? undefined : new CodedError('invalid_event', 'data is not a JSON object');
}

function unreadable(raw: RawUpload, tenant: string, detail: string): ReadUpload {
  const id = unreadableId(tenant, raw.bytes);
  return { kind: 'unreadable', tenant, id, error: new CodedError('invalid_event', detail) };
}

/** Binary mode: `ce-` headers are attributes, percent-encoded as the NATS protocol binding says. */
function attributesOf(headers: Record<string, string>): Attributes {
  const entries = Object.entries(headers)
    .filter(([name]) => name.startsWith('ce-'))
    .map(([name, value]) => [name.slice(3), percentDecoded(value)] as const);
  return Object.fromEntries(entries);
}

function percentDecoded(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    return undefined;
  }
}

const lowerCased = (headers: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isKey = (value: unknown, max = 512): value is string =>
  typeof value === 'string' && value.length > 0 && value.length <= max && !CONTROL.test(value);

/** The W3C trace context when it has the right form. */
export const traceparentOf = (value: unknown): string | undefined =>
  typeof value === 'string' && TRACEPARENT.test(value) ? value : undefined;
