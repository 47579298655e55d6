import Type, { type Static } from 'typebox';

/** What a recovery after a loss found: manifests looked at, and those whose work was brought back. */
export const RecoveredSchema = Type.Object({
  manifests: Type.Integer({ minimum: 0 }),
  recovered: Type.Integer({ minimum: 0 }),
});
export type Recovered = Static<typeof RecoveredSchema>;
