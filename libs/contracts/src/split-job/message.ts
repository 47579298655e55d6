import Type, { type Static } from 'typebox';
import { defineMessage } from '../message.ts';
import { ChannelModeSchema, LaneSchema, NameSchema, TranscriptIdSchema } from '../names.ts';
import { splitJobSubject } from '../subjects.ts';

/** Asks for one recording to be cut into chunks. */
export const SplitJobSchema = Type.Object({
  tenant_id: NameSchema,
  transcript_id: TranscriptIdSchema,
  plan: Type.Integer({ minimum: 1 }),
  generation: Type.Integer({ minimum: 0 }),
  /** 1 for the first; raised only by failures, never by a stop or a kill. */
  attempt: Type.Integer({ minimum: 1 }),
  engine: NameSchema,
  lane: LaneSchema,
  key: Type.String(),
  channels: ChannelModeSchema,
  language: Type.Optional(Type.String()),
  /** When the recording was accepted: an object that is not there yet is waited for from here. */
  accepted_at: Type.String(),
});
export type SplitJob = Static<typeof SplitJobSchema>;

export const splitJob = defineMessage('earshot.job.split.v1', SplitJobSchema, (data) =>
  splitJobSubject(data.lane, data.tenant_id, data.transcript_id),
);
