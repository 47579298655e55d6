import Type, { type Static } from 'typebox';
import { EvidenceSchema } from '../gave-up/message.ts';
import { TranscriptIdSchema } from '../names.ts';

const orNull = <T extends Type.TSchema>(schema: T) => Type.Union([schema, Type.Null()]);

/** `open` waits for somebody; `resolved` got its result in another way; the others were dealt with on purpose. */
export const DeadLetterStateSchema = Type.Union([
  Type.Literal('open'),
  Type.Literal('replayed'),
  Type.Literal('discarded'),
  Type.Literal('resolved'),
]);
export type DeadLetterState = Static<typeof DeadLetterStateSchema>;

/** Where work was given up on; `message` is a message that nobody could read and that stands for no work. */
export const DeadLetterStageSchema = Type.Union([
  Type.Literal('accept'),
  Type.Literal('split'),
  Type.Literal('chunk'),
  Type.Literal('message'),
]);

/** A dead letter as lists show it. */
export const DeadLetterSummarySchema = Type.Object({
  id: Type.Integer(),
  tenant_id: orNull(Type.String()),
  transcript_id: orNull(Type.String()),
  stage: DeadLetterStageSchema,
  plan: Type.Integer(),
  n: Type.Integer(),
  generation: Type.Integer(),
  attempt: orNull(Type.Integer()),
  code: Type.String(),
  detail: Type.String(),
  state: DeadLetterStateSchema,
  start_ms: orNull(Type.Integer()),
  end_ms: orNull(Type.Integer()),
  created_at: Type.String(),
  replayed_at: orNull(Type.String()),
  discarded_at: orNull(Type.String()),
});
export type DeadLetterSummary = Static<typeof DeadLetterSummarySchema>;

/** A dead letter with its evidence. */
export const DeadLetterSchema = Type.Object({
  ...DeadLetterSummarySchema.properties,
  evidence: EvidenceSchema,
  subject: Type.String(),
  seq: Type.Integer(),
  /** What a replay sends round again. */
  job: Type.Unknown(),
  /** The message as it came, where it could not be read. */
  payload_base64: orNull(Type.String()),
});
export type DeadLetter = Static<typeof DeadLetterSchema>;

export const DeadLetterPageSchema = Type.Object({
  data: Type.Array(DeadLetterSummarySchema),
  next_cursor: orNull(Type.String()),
});
export type DeadLetterPage = Static<typeof DeadLetterPageSchema>;

/** Which open dead letters an action is for; at least one field, or `all`. */
export const DeadLetterSelectionSchema = Type.Object(
  {
    all: Type.Optional(Type.Literal(true)),
    transcript_id: Type.Optional(TranscriptIdSchema),
    stage: Type.Optional(DeadLetterStageSchema),
    code: Type.Optional(Type.String({ pattern: '^[a-z_]{1,64}$' })),
    created_after: Type.Optional(Type.String({ format: 'date-time' })),
    created_before: Type.Optional(Type.String({ format: 'date-time' })),
  },
  { additionalProperties: false, minProperties: 1 },
);
export type DeadLetterSelection = Static<typeof DeadLetterSelectionSchema>;

/** How many dead letters an action changed, and how many it could not; those dealt with before are in neither count. */
export const DeadLettersChangedSchema = Type.Object({
  changed: Type.Integer({ minimum: 0 }),
  refused: Type.Integer({ minimum: 0 }),
});
export type DeadLettersChanged = Static<typeof DeadLettersChangedSchema>;
