import { quietestFrame } from './quiet-point.ts';
import type { Span } from './voice-activity.ts';

/** The slice for one engine call: the speech in it, and how far it reaches into the silence around. */
export interface SpeechWindow extends Span {
  /** Speech inside, in order; never empty. */
  readonly speech: readonly Span[];
}

export interface WindowOptions {
  /** Longest stretch from the first to the last speech of a window; default 8100. */
  readonly maxMs?: number;
  /** Silence kept on either side, never into a neighbour's speech; default 200. */
  readonly padMs?: number;
}

/**
 * Groups speech into windows an engine can take: longer speech is split at the quietest 100 ms of the last 45 % of what fits,
 * neighbours are joined while they fit. `samples` is one channel at 16 kHz; times are milliseconds from its start.
 */
export function planWindows(
  samples: Int16Array,
  spans: readonly Span[],
  { maxMs = 8100, padMs = 200 }: WindowOptions = {},
): SpeechWindow[] {
  const pieces = spans.flatMap((span) => splitLong(samples, span, maxMs));
  const groups = groupNeighbours(pieces, maxMs);
  const total = Math.ceil(samples.length / 16);
  return groups.map((speech, n) => {
    const before = groups[n - 1]?.at(-1)?.end_ms ?? 0;
    const after = groups[n + 1]?.[0]?.start_ms ?? total;
    const [start, end] = [speech[0]?.start_ms ?? 0, speech.at(-1)?.end_ms ?? 0];
    return { start_ms: Math.max(start - padMs, before), end_ms: Math.min(end + padMs, after), speech };
  });
}

function splitLong(samples: Int16Array, span: Span, maxMs: number): Span[] {
  const pieces: Span[] = [];
  let { start_ms } = span;
  while (span.end_ms - start_ms > maxMs) {
    const cut_ms = quietestMs(samples, start_ms + Math.ceil(maxMs * 0.55), start_ms + maxMs);
    pieces.push({ start_ms, end_ms: cut_ms });
    start_ms = cut_ms;
  }
  return [...pieces, { start_ms, end_ms: span.end_ms }];
}

/** The middle of the quietest 100 ms between two times of one channel at 16 kHz. */
export function quietestMs(samples: Int16Array, from_ms: number, to_ms: number): number {
  return Math.round(quietestFrame({ samples, channels: 1, from: from_ms * 16, to: to_ms * 16 }) / 16);
}

function groupNeighbours(pieces: readonly Span[], maxMs: number): Span[][] {
  const groups: Span[][] = [];
  for (const piece of pieces) {
    const last = groups.at(-1);
    const start = last?.[0]?.start_ms;
    if (last !== undefined && start !== undefined && piece.end_ms - start <= maxMs) last.push(piece);
    else groups.push([piece]);
  }
  return groups;
}
