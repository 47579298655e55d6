import { CodedError, type ErrorCode } from '@earshot/domain';
import type { Refused } from '@earshot/engine';
import type { VendorAnswer } from './vendor-request.ts';

const codes: Readonly<Record<number, ErrorCode>> = {
  400: 'engine_error',
  422: 'corrupt',
  429: 'quota_exceeded',
};

/** The answer to a paid call when it certainly was not taken; throws when nobody can know. */
export function refusedBy({ status, retryAfterMs }: VendorAnswer): Refused {
  const code = codes[status];
  if (!code) throw new CodedError('engine_error', `the vendor answered ${status}`);
  return { refused: new CodedError(code, `the vendor refused with ${status}`, { retryAfterMs }) };
}

/** The same of a request without an answer: one that found nobody listening was never sent. */
export function refusedByNobody(error: unknown): Refused {
  const cause = (error as Error | undefined)?.cause as NodeJS.ErrnoException | undefined;
  if (cause?.code !== 'ECONNREFUSED') throw error;
  return { refused: new CodedError('unavailable', 'the vendor is not there', { cause: error }) };
}
