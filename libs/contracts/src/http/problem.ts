import { CodedError, type ErrorCode, errorTable, toCodedError } from '@earshot/domain';
import Type, { type Static } from 'typebox';

/** RFC 9457 problem document with our `code`. */
export const ProblemSchema = Type.Object({
  type: Type.String({ description: 'A name, not an address: `urn:earshot:error:` and the code.' }),
  title: Type.String(),
  status: Type.Integer(),
  detail: Type.String(),
  code: Type.String(),
  help: Type.String(),
  errors: Type.Optional(Type.Array(Type.String())),
  instance: Type.Optional(Type.String()),
});
export type Problem = Static<typeof ProblemSchema>;

/** The problem document of any error; an error of ours shows no message, which may hold internals. */
export function toProblem(error: unknown): Problem {
  const coded = toCodedError(error);
  const entry = errorTable[coded.code];
  return {
    type: `urn:earshot:error:${coded.code}`,
    title: entry.title,
    status: entry.status,
    detail: entry.class === 'ours' ? entry.title : coded.message,
    code: coded.code,
    help: entry.help,
    ...(coded.errors.length > 0 ? { errors: [...coded.errors] } : {}),
  };
}

/** How every HTTP server of Earshot words errors: the two functions that `createHttpServer` asks for. */
export const httpErrors = {
  describeError: toProblem,
  codedError: (code: ErrorCode, detail: string, errors: string[] = []) =>
    new CodedError(code, detail, { errors }),
};
