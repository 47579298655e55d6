import Type, { type Static } from 'typebox';
import { defineMessage } from '../message.ts';
import { NameSchema, TranscriptIdSchema } from '../names.ts';
import { factSubjects } from '../subjects.ts';

export const WordSchema = Type.Object({
  start_ms: Type.Integer({ minimum: 0 }),
  end_ms: Type.Integer({ minimum: 0 }),
  text: Type.String(),
  confidence: Type.Union([Type.Number(), Type.Null()]),
  timing: Type.Union([Type.Literal('exact'), Type.Literal('estimated'), Type.Literal('none')]),
});

/** Times are milliseconds from the start of the recording, end exclusive. */
export const SegmentSchema = Type.Object({
  start_ms: Type.Integer({ minimum: 0 }),
  end_ms: Type.Integer({ minimum: 0 }),
  text: Type.String(),
  channel: Type.Integer({ minimum: 0 }),
  speaker: Type.Union([Type.String(), Type.Null()]),
  words: Type.Array(WordSchema),
});

/** A chunk was transcribed. The first of a plan and n stays. */
export const ChunkSchema = Type.Object({
  tenant_id: NameSchema,
  transcript_id: TranscriptIdSchema,
  plan: Type.Integer({ minimum: 1 }),
  n: Type.Integer({ minimum: 0 }),
  generation: Type.Integer({ minimum: 0 }),
  attempt: Type.Integer({ minimum: 1 }),
  start_ms: Type.Integer({ minimum: 0 }),
  end_ms: Type.Integer({ minimum: 1 }),
  engine: NameSchema,
  model: Type.String(),
  language: Type.Union([Type.String(), Type.Null()]),
  segments: Type.Array(SegmentSchema),
  /** Speech heard by voice activity and speech that became text, in milliseconds summed over channels. */
  speech_ms: Type.Integer({ minimum: 0 }),
  transcribed_ms: Type.Integer({ minimum: 0 }),
  worker: Type.String(),
  /** Wall time of the engine call in milliseconds. */
  engine_ms: Type.Integer({ minimum: 0 }),
  /** Audio that all paid calls of the chunk cost; left out where none was made, and by older workers. */
  billed_ms: Type.Optional(Type.Integer({ minimum: 0 })),
});
export type Chunk = Static<typeof ChunkSchema>;

export const chunkFact = defineMessage('earshot.transcript.chunk.v1', ChunkSchema, (data) =>
  factSubjects(data.tenant_id, data.transcript_id).chunk(data.plan, data.n),
);
