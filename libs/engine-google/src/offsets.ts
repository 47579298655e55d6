/** A duration as gRPC has it, seconds as a string, or as the JSON of an output object has it: `"1.200s"`. */
export type Offset =
  | { seconds?: number | string | { toString(): string } | null; nanos?: number | null }
  | string;

/** Milliseconds of a duration; undefined where none is set. */
export function msOf(offset: Offset | null | undefined): number | undefined {
  if (offset === null || offset === undefined) return undefined;
  if (typeof offset === 'string') return Math.round(Number.parseFloat(offset) * 1000);
  return Math.round(Number(offset.seconds ?? 0) * 1000 + (offset.nanos ?? 0) / 1e6);
}
