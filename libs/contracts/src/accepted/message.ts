import Type, { type Static } from 'typebox';
import { defineMessage } from '../message.ts';
import { ChannelModeSchema, LaneSchema, NameSchema, TranscriptIdSchema } from '../names.ts';
import { RecordingOptionsSchema } from '../recording-uploaded/message.ts';
import { factSubjects } from '../subjects.ts';

/** Something the caller asked for that is not done, with a code and a sentence. */
export const WarningSchema = Type.Object({ code: Type.String(), detail: Type.String() });
export type Warning = Static<typeof WarningSchema>;

/** A recording was accepted: all that a split job needs, and all that the transcript shows of the request. */
export const AcceptedSchema = Type.Object({
  tenant_id: NameSchema,
  transcript_id: TranscriptIdSchema,
  /** Storage key of the recording. */
  key: Type.String(),
  size_bytes: Type.Optional(Type.Integer({ minimum: 0 })),
  sha256: Type.Optional(Type.String()),
  engine: NameSchema,
  lane: LaneSchema,
  channels: ChannelModeSchema,
  options: RecordingOptionsSchema,
  warnings: Type.Array(WarningSchema),
  accepted_at: Type.String(),
});
export type Accepted = Static<typeof AcceptedSchema>;

export const accepted = defineMessage(
  'earshot.transcript.accepted.v1',
  AcceptedSchema,
  (data) => factSubjects(data.tenant_id, data.transcript_id).accepted,
);
