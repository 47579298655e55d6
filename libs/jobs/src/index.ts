export type { EngineDirectory, FactReader, StoredFact } from './fact-reader.ts';
export type { JobHandler, JobKind, Outcome, TakenJob } from './handler.ts';
export type { JobDirectory } from './job-directory.ts';
export { done, outcomeOf } from './outcomes.ts';
export type { FirstResult, Publisher } from './publisher.ts';
