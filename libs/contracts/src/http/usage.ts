import Type, { type Static } from 'typebox';
import { NameSchema } from '../names.ts';

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
