import Type, { type Static } from 'typebox';
import { defineMessage } from '../message.ts';
import { NameSchema, TranscriptIdSchema } from '../names.ts';
import { factSubjects } from '../subjects.ts';

/** One cut of a plan as it stands in storage; the next starts where it ends. */
export const CutSchema = Type.Object({
  start_ms: Type.Integer({ minimum: 0 }),
  end_ms: Type.Integer({ minimum: 1 }),
  /** Where the sound of this range lies: in a chunk object, or, when the one cut is the whole recording, in that itself. */
  key: Type.String(),
  /** Audio tracks there. */
  channels: Type.Integer({ minimum: 1 }),
  /** The channels of the recording that are to be transcribed: of a chunk object all its tracks. Missing: its tracks are they. */
  tracks: Type.Optional(Type.Array(Type.Integer({ minimum: 0 }), { minItems: 1 })),
  /** Of the recording that was cut, where it may be replaced: another version must not be mixed with it. */
  version: Type.Optional(Type.String()),
});
export type Cut = Static<typeof CutSchema>;

/** A recording was cut to its end (or as far as it could be: `truncated`). First wins. */
export const SplitSchema = Type.Object({
  tenant_id: NameSchema,
  transcript_id: TranscriptIdSchema,
  plan: Type.Integer({ minimum: 1 }),
  generation: Type.Integer({ minimum: 0 }),
  /** Chunks with n ≥ count are ignored. */
  count: Type.Integer({ minimum: 0 }),
  duration_ms: Type.Integer({ minimum: 0 }),
  channels: Type.Integer({ minimum: 1 }),
  cuts: Type.Array(CutSchema),
  /** Storage key of the waveform peaks. */
  peaks_key: Type.Optional(Type.String()),
  truncated: Type.Optional(Type.Boolean()),
  code: Type.Optional(Type.String()),
  detail: Type.Optional(Type.String()),
});
export type Split = Static<typeof SplitSchema>;

export const splitFact = defineMessage('earshot.transcript.split.v1', SplitSchema, (data) =>
  factSubjects(data.tenant_id, data.transcript_id).split(data.plan),
);
