import { CodedError } from '@earshot/domain';

/** An RFC 3339 time has more forms than PostgreSQL and years that only one of them knows. */
export function checkTime(name: string, value: string | undefined): string | undefined {
  if (value === undefined) return undefined;
  const parsed = new Date(value);
  if (!Number.isNaN(parsed.getTime())) return parsed.toISOString();
  throw new CodedError('invalid_request', 'a time is not valid', { errors: [`/${name} is not a time`] });
}
