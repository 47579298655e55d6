import Type, { type Static } from 'typebox';

/** Whoever created it, and nobody else, makes the call of this try. */
export const IntentSchema = Type.Object({
  /** What the vendor is given to find the call by. */
  output_uri: Type.String(),
  worker: Type.String(),
  created_at: Type.String(),
});
export type Intent = Static<typeof IntentSchema>;

/** What goes with a failure; its name is a code of the error table, or says why the call was not made or is not known. */
const failure = {
  detail: Type.String(),
  /** Of the job that wrote it: what an earlier generation gave up on may be tried again. */
  generation: Type.Integer({ minimum: 0 }),
};

/** What became of the call: an operation runs, or the try is over and the next one may be made. */
export const AnswerSchema = Type.Union([
  Type.Object({ operation: Type.String() }),
  Type.Object({ refused: Type.String(), ...failure }),
]);
export type Answer = Static<typeof AnswerSchema>;

/** How the work that was paid for ended. */
export const DoneSchema = Type.Union([
  Type.Object({ result: Type.Unknown() }),
  Type.Object({ error: Type.String(), ...failure }),
]);
export type Done = Static<typeof DoneSchema>;
