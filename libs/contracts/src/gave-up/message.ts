import Type, { type Static } from 'typebox';
import { defineMessage } from '../message.ts';
import { NameSchema, TranscriptIdSchema } from '../names.ts';
import { factSubjects } from '../subjects.ts';

/** What is known about the failure, for the person who looks at the dead letter. */
export const EvidenceSchema = Type.Object({
  detail: Type.String(),
  errors: Type.Optional(Type.Array(Type.String())),
  worker: Type.Optional(Type.String()),
  stderr_tail: Type.Optional(Type.String()),
  trace_id: Type.Optional(Type.String()),
});
export type Evidence = Static<typeof EvidenceSchema>;

/** Work was given up on: a chunk (`plan`, `n`), a split (`plan`, 0) or an upload event (0, 0). */
export const GaveUpSchema = Type.Object({
  tenant_id: NameSchema,
  transcript_id: TranscriptIdSchema,
  stage: Type.Union([Type.Literal('accept'), Type.Literal('split'), Type.Literal('chunk')]),
  plan: Type.Integer({ minimum: 0 }),
  n: Type.Integer({ minimum: 0 }),
  generation: Type.Integer({ minimum: 0 }),
  attempt: Type.Integer({ minimum: 1 }),
  code: Type.String(),
  /** The publisher's session, where an upload event was given up on before it was accepted. */
  session_id: Type.Optional(Type.String()),
  evidence: EvidenceSchema,
  /** The range left without text; chunks only. */
  start_ms: Type.Optional(Type.Integer({ minimum: 0 })),
  end_ms: Type.Optional(Type.Integer({ minimum: 1 })),
  /** What a replay publishes again: the data of the job, or the upload event as it came (base64 when unreadable). */
  job: Type.Optional(Type.Unknown()),
});
export type GaveUp = Static<typeof GaveUpSchema>;

export const gaveUp = defineMessage('earshot.transcript.gave_up.v1', GaveUpSchema, (data) =>
  factSubjects(data.tenant_id, data.transcript_id).gaveUp(data.stage, data.plan, data.n),
);
