import Type, { type Static } from 'typebox';

/** How many facts were read to re-create the tables. */
export const RebuiltSchema = Type.Object({ facts: Type.Integer({ minimum: 0 }) });
export type Rebuilt = Static<typeof RebuiltSchema>;
