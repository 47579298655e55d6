import type { Spoken } from './segment.ts';
import { hasSeveralVoices, inOrder, oneLine, toUtterances } from './utterances.ts';

/** What one chunk gave, but its words. Speech is milliseconds summed over channels; no segment starts outside the chunk. */
export interface ChunkResult {
  readonly n: number;
  readonly start_ms: number;
  readonly end_ms: number;
  readonly segments: readonly Spoken[];
  readonly speech_ms: number;
  readonly transcribed_ms: number;
  readonly language: string | null;
}

/** A chunk that was given up on. */
export interface ChunkGap {
  readonly n: number;
  readonly start_ms: number;
  readonly end_ms: number;
  readonly code: string;
}

/** How a recording was cut. `truncated`: it could not be cut to its end, because of `code`. */
export interface PlanSplit {
  readonly count: number;
  readonly duration_ms: number;
  readonly truncated: boolean;
  readonly code: string | null;
}

/** A range of the recording without a result, with the reason. */
export interface Gap {
  readonly start_ms: number;
  readonly end_ms: number;
  readonly code: string;
}

/** What a transcript says of itself: speech heard, speech transcribed, and the ranges it has no result for. */
export interface TranscriptCoverage {
  readonly speech_ms: number;
  readonly transcribed_ms: number;
  readonly gaps: readonly Gap[];
}

/** The readable part of a transcript, finished or not. A recording of hours fits: it holds no words. */
export interface TranscriptContent {
  readonly text: string;
  /** In order, those that hold text. */
  readonly segments: readonly Spoken[];
  readonly coverage: TranscriptCoverage;
  /** The language most speech was in; null when no engine said. */
  readonly language: string | null;
}

export interface AssembledTranscript extends TranscriptContent {
  readonly status: 'completed' | 'partial' | 'failed';
}

/** One result for each n, the first given, in order. */
function distinct<T extends { readonly n: number }>(items: readonly T[]): T[] {
  const byNumber = new Map<number, T>();
  for (const item of items) if (!byNumber.has(item.n)) byNumber.set(item.n, item);
  return [...byNumber.values()].sort((a, b) => a.n - b.n);
}

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);

function mainLanguage(chunks: readonly ChunkResult[]): string | null {
  const heard = new Map<string, number>();
  for (const { language, speech_ms } of chunks) {
    if (language) heard.set(language, (heard.get(language) ?? 0) + speech_ms);
  }
  const ranked = [...heard].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
  return ranked[0]?.[0] ?? null;
}

/** The text of the chunks that are ready, contiguous or not: one voice on one line, several voices a line each. */
export function composeTranscript(
  chunks: readonly ChunkResult[],
  gaps: readonly Gap[] = [],
): TranscriptContent {
  const ready = distinct(chunks);
  const segments = ready.flatMap((chunk) => inOrder(chunk.segments));
  const parts = hasSeveralVoices(segments)
    ? toUtterances(segments)
        .map((utterance) => utterance.text)
        .join('\n')
    : segments.map((segment) => oneLine(segment.text)).join(' ');
  return {
    text: parts,
    segments,
    coverage: {
      speech_ms: sum(ready.map((chunk) => chunk.speech_ms)),
      transcribed_ms: sum(ready.map((chunk) => chunk.transcribed_ms)),
      gaps,
    },
    language: mainLanguage(ready),
  };
}

/** From the last cut to the end of a recording that could not be cut whole; empty when its length is unknown. */
function missingEnd(split: PlanSplit, ranges: readonly { readonly end_ms: number }[]): Gap[] {
  if (!split.truncated) return [];
  const start_ms = Math.max(0, ...ranges.map((range) => range.end_ms));
  return [{ start_ms, end_ms: Math.max(start_ms, split.duration_ms), code: split.code ?? 'corrupt' }];
}

/**
 * The final transcript of a settled plan: every n < count has a result or was given up on. A result beats a give-up,
 * chunks n ≥ count are ignored. `completed` has no gap; `failed` has gaps and not one result.
 */
export function assembleTranscript(plan: {
  readonly split: PlanSplit;
  readonly chunks: readonly ChunkResult[];
  readonly gave_up: readonly ChunkGap[];
}): AssembledTranscript {
  const { split } = plan;
  const chunks = distinct(plan.chunks.filter((chunk) => chunk.n < split.count));
  const done = new Set(chunks.map((chunk) => chunk.n));
  const missing = distinct(plan.gave_up.filter((gap) => gap.n < split.count && !done.has(gap.n)));
  const gaps = [
    ...missing.map(({ start_ms, end_ms, code }) => ({ start_ms, end_ms, code })),
    ...missingEnd(split, [...chunks, ...missing]),
  ];
  const status = gaps.length === 0 ? 'completed' : chunks.length === 0 ? 'failed' : 'partial';
  return { status, ...composeTranscript(chunks, gaps) };
}
