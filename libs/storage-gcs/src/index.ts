export { createGcsStorage, type GcsOptions } from './gcs-storage.ts';
