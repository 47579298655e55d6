import {
  type Accepted,
  type Transcript,
  type TranscriptStatus,
  type TranscriptSummary,
  transcriptLinks,
} from '@earshot/contracts';
import { composeTranscript } from '@earshot/domain';
import type { PlanResults } from '../store/sql/chunks.ts';
import type { FullTranscriptRow, TranscriptRow } from '../store/sql/find-transcripts.ts';
import { type TraceUrl, traceFields } from './trace-url.ts';

/** The text of these was settled; of all others it is what the chunks gave so far. */
const SETTLED = new Set(['completed', 'partial', 'failed']);
const isFinal = (status: string) => SETTLED.has(status) || status === 'canceled';

/** Below 1 until nothing can change any more without a new revision. */
const UNFINISHED_MAX = 0.99;

function progressOf(row: TranscriptRow): TranscriptSummary['progress'] {
  const final = isFinal(row.status);
  const total_ms = row.chunks_total === null ? null : row.duration_ms;
  const share = total_ms ? row.done_ms / total_ms : 0;
  return {
    ratio: final ? 1 : Math.min(UNFINISHED_MAX, Math.round(share * 1000) / 1000),
    done_ms: row.done_ms,
    total_ms,
    chunks_done: row.chunks_done,
    chunks_total: row.chunks_total,
  };
}

/** A transcript as lists show it. */
export function toSummary(row: TranscriptRow): TranscriptSummary {
  return {
    id: row.id,
    status: row.status as TranscriptStatus,
    waiting_until: row.waiting_until?.toISOString() ?? null,
    session_id: row.session_id,
    engine: row.engine,
    language: row.language,
    priority: row.lane ?? 'normal',
    duration_ms: row.duration_ms,
    progress: progressOf(row),
    error: row.error_code ? { code: row.error_code, detail: row.error_detail ?? row.error_code } : null,
    revision: row.revision,
    created_at: row.created_at.toISOString(),
    updated_at: row.updated_at.toISOString(),
    completed_at: row.completed_at?.toISOString() ?? null,
    links: transcriptLinks(row.id),
  };
}

/** All of a transcript's document but the two lists that hold its words. */
export type TranscriptHead = Omit<Transcript, 'segments' | 'utterances'>;

/** A transcript and what was said; while it is being made, or when it was canceled, what its chunks gave so far. */
export function toDocument(row: FullTranscriptRow, results: PlanResults | undefined, traceUrl: TraceUrl) {
  const content = composeTranscript(results?.chunks ?? [], results?.gave_up.map(toGap) ?? []);
  const head: TranscriptHead = {
    ...toSummary(row),
    text: SETTLED.has(row.status) ? row.text : content.text,
    coverage: (row.coverage ?? content.coverage) as Transcript['coverage'],
    warnings: row.warnings,
    metadata: row.metadata ?? {},
    ...traceFields(row.traceparent, traceUrl),
  };
  return { head, spoken: content.segments };
}

const toGap = ({ start_ms, end_ms, code }: { start_ms: number; end_ms: number; code: string }) => ({
  start_ms,
  end_ms,
  code,
});

/** The transcript of a recording that no fact has reached the database of yet. */
export function queuedDocument(source: Accepted): TranscriptHead {
  const created_at = source.accepted_at;
  return {
    id: source.transcript_id,
    status: 'queued',
    waiting_until: null,
    session_id: source.options.session_id ?? null,
    engine: source.engine,
    language: source.options.language ?? null,
    priority: source.lane,
    duration_ms: null,
    progress: { ratio: 0, done_ms: 0, total_ms: null, chunks_done: 0, chunks_total: null },
    error: null,
    revision: 0,
    created_at,
    updated_at: created_at,
    completed_at: null,
    links: transcriptLinks(source.transcript_id),
    text: '',
    coverage: { speech_ms: 0, transcribed_ms: 0, gaps: [] },
    warnings: source.warnings,
    metadata: source.options.metadata ?? {},
    trace_id: null,
    trace_url: null,
  };
}
