import Type, { type Static } from 'typebox';
import { defineMessage } from '../message.ts';
import { ChannelModeSchema, LaneSchema, NameSchema, TranscriptIdSchema } from '../names.ts';
import { chunkJobSubject } from '../subjects.ts';

/** Asks for one chunk to be transcribed. At most 4 KB: the audio is in storage. */
export const ChunkJobSchema = Type.Object({
  tenant_id: NameSchema,
  transcript_id: TranscriptIdSchema,
  plan: Type.Integer({ minimum: 1 }),
  n: Type.Integer({ minimum: 0 }),
  generation: Type.Integer({ minimum: 0 }),
  attempt: Type.Integer({ minimum: 1 }),
  engine: NameSchema,
  lane: LaneSchema,
  /** Storage key of the chunk: 16 kHz s16le WAV with all kept channels. */
  key: Type.String(),
  start_ms: Type.Integer({ minimum: 0 }),
  end_ms: Type.Integer({ minimum: 1 }),
  channels: ChannelModeSchema,
  language: Type.Optional(Type.String()),
});
export type ChunkJob = Static<typeof ChunkJobSchema>;

export const chunkJob = defineMessage('earshot.job.chunk.v1', ChunkJobSchema, (data) =>
  chunkJobSubject({ ...data, tenant: data.tenant_id, id: data.transcript_id }),
);
