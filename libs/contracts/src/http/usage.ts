import Type, { type Static } from 'typebox';
import { NameSchema, TranscriptIdSchema } from '../names.ts';

/** What usage is summed by. */
export const UsageGroupSchema = Type.Union([
  Type.Literal('day'),
  Type.Literal('engine'),
  Type.Literal('model'),
  Type.Literal('transcript'),
]);
export type UsageGroup = Static<typeof UsageGroupSchema>;

const sums = {
  /** Chunks that paid calls were made for. */
  chunks: Type.Integer({ minimum: 0 }),
  /** How long they are. */
  audio_ms: Type.Integer({ minimum: 0 }),
  /** What the vendor charged for: each channel, rounded as it does, and tries that failed. */
  billed_ms: Type.Integer({ minimum: 0 }),
};

/** What one tenant used. */
export const UsageSumSchema = Type.Object({
  tenant_id: NameSchema,
  /** The UTC day, the engine, `engine/model` or the transcript's id. */
  key: Type.String(),
  ...sums,
});
export type UsageSum = Static<typeof UsageSumSchema>;

/** What paid engines charged for, by tenant and what was asked for; `total` is of all pages. */
export const UsagePageSchema = Type.Object({
  group_by: UsageGroupSchema,
  /** UTC days, both inclusive. */
  from: Type.String(),
  to: Type.String(),
  total: Type.Object(sums),
  data: Type.Array(UsageSumSchema),
  next_cursor: Type.Union([Type.String(), Type.Null()]),
});
export type UsagePage = Static<typeof UsagePageSchema>;

/** A chunk of which usage and the ledger of paid calls do not say the same, or where a call's price is not known. */
export const UsageDifferenceSchema = Type.Object({
  tenant_id: NameSchema,
  transcript_id: TranscriptIdSchema,
  plan: Type.Integer({ minimum: 1 }),
  n: Type.Integer({ minimum: 0 }),
  engine: NameSchema,
  /** Null: nothing is known there. */
  usage_ms: Type.Union([Type.Integer({ minimum: 0 }), Type.Null()]),
  ledger_ms: Type.Union([Type.Integer({ minimum: 0 }), Type.Null()]),
  /** Calls that were made, or may have been, and whose end nobody wrote down, as of a canceled transcript. */
  open_calls: Type.Integer({ minimum: 0 }),
});
export type UsageDifference = Static<typeof UsageDifferenceSchema>;

/** A page of the comparison of all transcripts that have ended. */
export const UsageCheckSchema = Type.Object({
  /** Transcripts that were looked at. */
  checked: Type.Integer({ minimum: 0 }),
  /** Chunks whose price was taken over from the ledger. */
  recorded: Type.Integer({ minimum: 0 }),
  data: Type.Array(UsageDifferenceSchema),
  next_cursor: Type.Union([Type.String(), Type.Null()]),
});
export type UsageCheck = Static<typeof UsageCheckSchema>;
