import { hostname } from 'node:os';
import { gaveUp, type OutgoingMessage } from '@earshot/contracts';
import type { CodedError } from '@earshot/domain';
import { type RawUpload, type ReadUpload, readUpload, transcriptId } from '@earshot/intake';

/** How much of an event is kept for a replay. */
const MAX_KEPT_BYTES = 64 * 1024;

/** The fact that an upload event was given up on, with the event itself: a replay publishes it again. */
export function giveUpUpload(raw: RawUpload, error: CodedError): OutgoingMessage {
  const read = readUpload(raw);
  const { tenant, id, traceparent } = identityOf(raw, read);
  const session_id = sessionOf(read);
  const trace = traceparent?.split('-')[1];
  return gaveUp.create(
    {
      tenant_id: tenant,
      transcript_id: id,
      stage: 'accept',
      ...{ plan: 0, n: 0, generation: 0, attempt: 1 },
      code: error.code,
      ...(session_id === undefined ? {} : { session_id }),
      evidence: {
        detail: error.message,
        ...(error.errors.length > 0 ? { errors: [...error.errors] } : {}),
        worker: hostname(),
        ...(trace ? { trace_id: trace } : {}),
      },
      job: keptEvent(raw),
    },
    { source: 'earshot/ingest', traceparent },
  );
}

function identityOf(raw: RawUpload, read: ReadUpload) {
  if (read.kind === 'unreadable') return { ...read, traceparent: raw.traceparent };
  const { tenant, source, event_id, traceparent } = read.upload;
  return { tenant, id: transcriptId(tenant, source, event_id), traceparent };
}

/** The publisher finds its failed recordings by session, so it is kept even when other fields are wrong. */
function sessionOf(read: ReadUpload): string | undefined {
  const session = read.kind === 'upload' ? read.upload.data.session_id : undefined;
  return typeof session === 'string' && session.length <= 256 ? session : undefined;
}

/** Subject, headers that matter, and the payload: as JSON when it is, else in base64; `truncated` beyond 64 KB. */
function keptEvent(raw: RawUpload): Record<string, unknown> {
  const names = /^(ce-|content-type$|traceparent$)/i;
  const headers = Object.entries(raw.headers).filter(([name]) => names.test(name));
  const kept = { subject: raw.subject, headers: Object.fromEntries(headers) };
  const whole = raw.bytes.byteLength <= MAX_KEPT_BYTES;
  const event = whole ? asJson(raw.bytes) : undefined;
  if (event !== undefined) return { ...kept, event };
  const payload = Buffer.from(raw.bytes).subarray(0, MAX_KEPT_BYTES).toString('base64');
  return { ...kept, payload_base64: payload, ...(whole ? {} : { truncated: true }) };
}

function asJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    return undefined;
  }
}
