import Type, { type Static } from 'typebox';
import { WarningSchema } from '../accepted/message.ts';
import { SegmentSchema, WordSchema } from '../chunk-fact/message.ts';

const Nullable = <T extends Type.TSchema>(schema: T) => Type.Union([schema, Type.Null()]);

export const TranscriptStatusSchema = Type.Union([
  Type.Literal('queued'),
  Type.Literal('processing'),
  Type.Literal('waiting_quota'),
  Type.Literal('completed'),
  Type.Literal('partial'),
  Type.Literal('failed'),
  Type.Literal('canceled'),
]);
export type TranscriptStatus = Static<typeof TranscriptStatusSchema>;

export const CoverageSchema = Type.Object({
  /** Speech that voice activity heard, and how much of it became text; milliseconds summed over channels. */
  speech_ms: Type.Integer(),
  transcribed_ms: Type.Integer(),
  /** Ranges of the recording without a result, with the reason. */
  gaps: Type.Array(Type.Object({ start_ms: Type.Integer(), end_ms: Type.Integer(), code: Type.String() })),
});
export type Coverage = Static<typeof CoverageSchema>;

export const UtteranceSchema = Type.Object({
  start_ms: Type.Integer(),
  end_ms: Type.Integer(),
  text: Type.String(),
  channel: Type.Integer(),
  speaker: Nullable(Type.String()),
  words: Type.Array(WordSchema),
});
export type Utterance = Static<typeof UtteranceSchema>;

export const ProgressSchema = Type.Object({
  /** 0..1; stays below 1 until the state is final. */
  ratio: Type.Number(),
  done_ms: Type.Integer(),
  /** Null until the recording is cut to its end. */
  total_ms: Nullable(Type.Integer()),
  chunks_done: Type.Integer(),
  chunks_total: Nullable(Type.Integer()),
});

const summary = {
  id: Type.String(),
  /** `waiting_quota`: unfinished, and its engine is out of quota or budget; anything but the last four is unfinished. */
  status: TranscriptStatusSchema,
  /** When the work may go on that waits for quota or budget, RFC 3339; null in all other states. */
  waiting_until: Nullable(Type.String()),
  session_id: Nullable(Type.String()),
  engine: Nullable(Type.String()),
  language: Nullable(Type.String()),
  priority: Type.String(),
  duration_ms: Nullable(Type.Integer()),
  progress: ProgressSchema,
  error: Nullable(Type.Object({ code: Type.String(), detail: Type.String() })),
  revision: Type.Integer(),
  created_at: Type.String(),
  updated_at: Type.String(),
  completed_at: Nullable(Type.String()),
  links: Type.Record(Type.String(), Type.String()),
};

/** A transcript in a list: everything but the text. */
export const TranscriptSummarySchema = Type.Object(summary, { $id: 'TranscriptSummary' });
export type TranscriptSummary = Static<typeof TranscriptSummarySchema>;

/** A transcript as the API returns it. While it is being made, it holds the chunks that are ready. */
export const TranscriptSchema = Type.Object(
  {
    ...summary,
    text: Type.String(),
    segments: Type.Array(SegmentSchema),
    utterances: Type.Array(UtteranceSchema),
    coverage: CoverageSchema,
    warnings: Type.Array(WarningSchema),
    metadata: Type.Record(Type.String(), Type.Unknown()),
    /** Null until a fact of the recording is stored, and where nothing traces. */
    trace_id: Nullable(Type.String()),
    /** By EARSHOT_TRACE_URL_TEMPLATE; null without it. */
    trace_url: Nullable(Type.String()),
  },
  { $id: 'Transcript' },
);
export type Transcript = Static<typeof TranscriptSchema>;

/** A page of a list; `next_cursor` is opaque and null on the last page. */
export const TranscriptPageSchema = Type.Object({
  data: Type.Array(TranscriptSummarySchema),
  next_cursor: Nullable(Type.String()),
});
export type TranscriptPage = Static<typeof TranscriptPageSchema>;

/** Addresses of a transcript, relative to the API's origin: the same in the 202 and in every later answer. */
export function transcriptLinks(id: string): { self: string } & Record<string, string> {
  const self = `/v1/transcripts/${id}`;
  const formats = ['json', 'txt', 'srt', 'vtt'].map((format) => [format, `${self}.${format}`]);
  return { self, ...(Object.fromEntries(formats) as Record<string, string>), audio: `${self}/audio` };
}
