export type { GcsAccess } from './connect.ts';
export { createGcsStorage, type GcsOptions } from './gcs-storage.ts';
export { sweepCopies } from './local-copy.ts';
