import Type, { type Static } from 'typebox';
import { defineMessage } from '../message.ts';
import { NameSchema, TranscriptIdSchema } from '../names.ts';
import { type FinalStatus, factSubjects } from '../subjects.ts';

/** A transcript reached a final state. Small on purpose: the text is read from the API by id. */
export const FinalSchema = Type.Object({
  tenant_id: NameSchema,
  transcript_id: TranscriptIdSchema,
  /** How often the final state changed; consumers keep the highest. */
  revision: Type.Integer({ minimum: 1 }),
  status: Type.Union([
    Type.Literal('completed'),
    Type.Literal('partial'),
    Type.Literal('failed'),
    Type.Literal('canceled'),
    Type.Literal('deleted'),
  ]),
  session_id: Type.Union([Type.String(), Type.Null()]),
  duration_ms: Type.Union([Type.Integer({ minimum: 0 }), Type.Null()]),
  speech_ms: Type.Integer({ minimum: 0 }),
  transcribed_ms: Type.Integer({ minimum: 0 }),
  error: Type.Union([Type.Object({ code: Type.String(), detail: Type.String() }), Type.Null()]),
});
export type Final = Static<typeof FinalSchema>;

const define = (status: FinalStatus) =>
  defineMessage(`earshot.transcript.${status}.v1`, FinalSchema, (data) =>
    factSubjects(data.tenant_id, data.transcript_id).final(status),
  );

/** The fact of each final state. */
export const finalFacts = {
  completed: define('completed'),
  partial: define('partial'),
  failed: define('failed'),
  canceled: define('canceled'),
  deleted: define('deleted'),
};
