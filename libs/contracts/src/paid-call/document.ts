import Type, { type Static } from 'typebox';
import { Compile } from 'typebox/schema';

/** Whoever created it, and nobody else, makes the call of this try. */
export const PaidIntentSchema = Type.Object({
  /** What the vendor is given to find the call by. */
  output_uri: Type.String(),
  worker: Type.String(),
  created_at: Type.String(),
});
export type PaidIntent = Static<typeof PaidIntentSchema>;

/** What goes with a failure; its name is a code of the error table, or says why the call was not made or is not known. */
const failure = {
  detail: Type.String(),
  /** Of the job that wrote it: what an earlier generation gave up on may be tried again. */
  generation: Type.Integer({ minimum: 0 }),
};

/** Audio that the vendor charges for; not told by older workers. */
const billed = { billed_ms: Type.Optional(Type.Integer({ minimum: 0 })) };

/** What became of the call: an operation runs, or the try is over and the next one may be made. */
export const PaidAnswerSchema = Type.Union([
  Type.Object({ operation: Type.String() }),
  Type.Object({ refused: Type.String(), ...failure }),
]);
export type PaidAnswer = Static<typeof PaidAnswerSchema>;

/** How the work that was paid for ended. */
export const PaidDoneSchema = Type.Union([
  Type.Object({ result: Type.Unknown(), ...billed }),
  Type.Object({ error: Type.String(), ...failure, ...billed }),
]);
export type PaidDone = Static<typeof PaidDoneSchema>;

const shapes = {
  intent: Compile(PaidIntentSchema),
  answer: Compile(PaidAnswerSchema),
  done: Compile(PaidDoneSchema),
};

/** The objects of one try, by the name they have in storage. */
export interface PaidDocuments {
  readonly intent: PaidIntent;
  readonly answer: PaidAnswer;
  readonly done: PaidDone;
}

/** Reads one of them; undefined when it is not as the ledger writes it. */
export function parsePaidDocument<Name extends keyof PaidDocuments>(
  name: Name,
  json: string,
): PaidDocuments[Name] | undefined {
  const document: unknown = JSON.parse(json);
  return shapes[name].Check(document) ? (document as PaidDocuments[Name]) : undefined;
}
