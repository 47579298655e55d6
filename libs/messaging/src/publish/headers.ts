import { headers, type MsgHdrs } from 'nats';

/** Everything we may ever set; one `Nats-Rollup: all` on JOBS, where schedules force rollups on, would empty it. */
const ALLOWED = [
  'Nats-Expected-Last-Subject-Sequence',
  'Nats-Expected-Last-Subject-Sequence-Subject',
  'Nats-Schedule',
  'Nats-Schedule-Target',
  'Nats-Msg-Id',
  'traceparent',
  'content-type',
] as const;

/** A header that may be published. */
export type AllowedHeader = (typeof ALLOWED)[number];

/** Headers from `values`, absent ones left out. Throws `RangeError` for a name that is not on the list. */
export function allowedHeaders(values: Partial<Record<AllowedHeader, string | undefined>>): MsgHdrs {
  const result = headers();
  for (const [name, value] of Object.entries(values)) {
    if (!ALLOWED.includes(name as AllowedHeader)) throw new RangeError(`header ${name} may not be published`);
    if (value !== undefined) result.set(name, value);
  }
  return result;
}
