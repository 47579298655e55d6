import { CodedError, type ErrorCode } from '@earshot/domain';
import { Compile } from 'typebox/schema';
import { EnvelopeSchema } from '../envelope.ts';
import {
  MAX_METADATA_BYTES,
  type RecordingOptions,
  RecordingOptionsSchema,
  type RecordingUploaded,
  RecordingUploadedSchema,
  type SessionUpload,
  SessionUploadSchema,
} from './message.ts';

const uploaded = Compile(RecordingUploadedSchema);
const options = Compile(RecordingOptionsSchema);
const envelope = Compile(EnvelopeSchema);
const session = Compile(SessionUploadSchema);
const MAX_FINDINGS = 20;

/** Names an upload event's data may hold beside `uri`. */
export const RECORDING_OPTION_NAMES = Object.keys(
  RecordingOptionsSchema.properties,
) as (keyof RecordingOptions)[];

/** What keeps a value from being a CloudEvent 1.0; empty for one. */
export function envelopeFindings(event: unknown): string[] {
  return envelope.Check(event) ? [] : findingsOf(envelope.Errors(event)[1]);
}

/** True for the short form of an upload event. */
export const isSessionUpload = (value: unknown): value is SessionUpload => session.Check(value);

/** The data of an upload event, unknown names left out; throws `code` with one finding for each bad field. */
export function readRecordingUploaded(data: Record<string, unknown>, code: ErrorCode): RecordingUploaded {
  const known = pick(data, ['uri', ...RECORDING_OPTION_NAMES]);
  if (!uploaded.Check(known)) throw refusal(uploaded.Errors(known)[1], code);
  checkMetadata(known, code);
  return known;
}

/** Like {@link readRecordingUploaded} for a recording whose bytes come along instead of an address. */
export function readRecordingOptions(data: Record<string, unknown>, code: ErrorCode): RecordingOptions {
  const known = pick(data, RECORDING_OPTION_NAMES);
  if (!options.Check(known)) throw refusal(options.Errors(known)[1], code);
  checkMetadata(known, code);
  return known;
}

function pick(data: Record<string, unknown>, names: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(
    names.filter((name) => data[name] !== undefined).map((name) => [name, data[name]]),
  );
}

function checkMetadata({ metadata }: RecordingOptions, code: ErrorCode): void {
  const size = metadata === undefined ? 0 : new TextEncoder().encode(JSON.stringify(metadata)).length;
  if (size <= MAX_METADATA_BYTES) return;
  throw refusal([{ instancePath: '/metadata', message: `has more than ${MAX_METADATA_BYTES} bytes` }], code);
}

type Finding = { readonly instancePath: string; readonly message: string };

function findingsOf(findings: readonly Finding[]): string[] {
  const errors = findings.map((finding) => `${finding.instancePath || '/'} ${finding.message}`);
  return [...new Set(errors)].slice(0, MAX_FINDINGS);
}

const refusal = (findings: readonly Finding[], code: ErrorCode) =>
  new CodedError(code, 'the request does not match the schema of an upload event', {
    errors: findingsOf(findings),
  });
