import { CodedError, type ErrorCode } from '@earshot/domain';
import { Status } from 'google-gax';
import { msOf, type Offset } from './offsets.ts';

/** A failure as gRPC, an operation or a single file of it tells of it. */
interface VendorError {
  readonly code?: unknown;
  readonly message?: string | null;
  readonly details?: unknown;
  readonly statusDetails?: readonly unknown[];
}

const codes: Readonly<Record<number, ErrorCode>> = {
  [Status.INVALID_ARGUMENT]: 'unsupported',
  [Status.OUT_OF_RANGE]: 'unsupported',
  [Status.FAILED_PRECONDITION]: 'unsupported',
  [Status.NOT_FOUND]: 'missing_object',
  [Status.RESOURCE_EXHAUSTED]: 'quota_exceeded',
  [Status.UNAVAILABLE]: 'unavailable',
  [Status.DEADLINE_EXCEEDED]: 'unavailable',
  // By the other side, or with the connection: our own aborts are told by their signal.
  [Status.CANCELLED]: 'unavailable',
  // What the installation may not do is no fault of a recording: its work waits until somebody sets it right.
  [Status.PERMISSION_DENIED]: 'unavailable',
  [Status.UNAUTHENTICATED]: 'unavailable',
};

/** Answers that tell that the call certainly was not taken. */
const REFUSALS = new Set<unknown>([
  Status.INVALID_ARGUMENT,
  Status.OUT_OF_RANGE,
  Status.FAILED_PRECONDITION,
  Status.NOT_FOUND,
  Status.RESOURCE_EXHAUSTED,
  Status.PERMISSION_DENIED,
  Status.UNAUTHENTICATED,
  Status.UNIMPLEMENTED,
]);

/** The vendor's error as a coded one; a quota's says when to come back. */
export function googleError(error: unknown): CodedError {
  if (error instanceof CodedError) return error;
  const { code, message, statusDetails = [] } = error as VendorError;
  const known = codes[Number(code)] ?? 'engine_error';
  const retryAfterMs = known === 'quota_exceeded' ? retryDelayOf(statusDetails) : undefined;
  return new CodedError(known, message || 'Google gave no reason', { cause: error, retryAfterMs });
}

/**
 * Why an operation, or its file, failed. That Google may not read one tenant's bucket, or has trouble with one recording, is
 * no outage: everybody else's work goes on, and this one's attempts are counted.
 */
export function operationError(error: unknown): CodedError {
  const coded = googleError(error);
  if (coded.code !== 'unavailable') return coded;
  return new CodedError('engine_error', coded.message, { cause: error });
}

/** Why a call was certainly not taken; undefined when nobody can know. */
export function refusalOf(error: unknown): CodedError | undefined {
  const { code, message, details } = error as VendorError;
  const unsent =
    code === Status.UNAVAILABLE &&
    /ECONNREFUSED|ENOTFOUND|Name resolution failed/.test(`${message} ${details}`);
  if (!unsent && !REFUSALS.has(code)) return undefined;
  const coded = googleError(error);
  // Not the recording, which nobody has looked at yet: the project, the location or the model is not there.
  return coded.code === 'missing_object'
    ? new CodedError('unavailable', coded.message, { cause: error })
    : coded;
}

function retryDelayOf(details: readonly unknown[]): number | undefined {
  for (const detail of details) {
    const delay = (detail as { retryDelay?: Offset }).retryDelay;
    if (delay) return msOf(delay);
  }
  return undefined;
}
