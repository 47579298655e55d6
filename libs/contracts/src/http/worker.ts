import Type, { type Static } from 'typebox';
import { WorkerIdSchema, WorkerStateSchema } from '../worker-state/document.ts';

/** Every worker that answered a ping just now. */
export const WorkersSchema = Type.Object({ data: Type.Array(WorkerStateSchema) });
export type Workers = Static<typeof WorkersSchema>;

/** Which workers renewed their child processes; those that did not answer in time are left out. */
export const PoolsRestartedSchema = Type.Object({ workers: Type.Array(WorkerIdSchema) });
export type PoolsRestarted = Static<typeof PoolsRestartedSchema>;
