import { CodedError } from '@earshot/domain';

const PRINTABLE = /^[\x20-\x7e]{1,256}$/;

/** The value of an `Idempotency-Key` header; throws `invalid_request` unless it has 1 to 256 printable characters. */
export function readIdempotencyKey(header: string | string[] | undefined): string | undefined {
  if (header === undefined) return undefined;
  if (typeof header === 'string' && PRINTABLE.test(header)) return header;
  throw new CodedError(
    'invalid_request',
    'the Idempotency-Key must have 1 to 256 printable ASCII characters',
  );
}
