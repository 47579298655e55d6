import type { ByteRange } from '@earshot/storage';

/** What a `Range` header asks for: a part, everything, or what is not there. */
export type RequestedRange = Required<ByteRange> | 'whole' | 'unsatisfiable';

/** Reads a single-range header (RFC 9110); several ranges and unknown units are answered with everything. */
export function parseRange(header: string | undefined, size: number): RequestedRange {
  const [, first, last] = /^bytes=(\d*)-(\d*)$/.exec(header?.trim() ?? '') ?? [];
  if (first === undefined || last === undefined || (first === '' && last === '')) return 'whole';
  const start = first === '' ? Math.max(0, size - Number(last)) : Number(first);
  const end = first === '' || last === '' ? size - 1 : Math.min(Number(last), size - 1);
  if (first !== '' && last !== '' && Number(last) < Number(first)) return 'whole';
  return start > end ? 'unsatisfiable' : { start, end };
}
