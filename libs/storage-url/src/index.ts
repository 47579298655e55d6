export { openStorage } from './open-storage.ts';
export { openTenantBuckets } from './open-tenant-buckets.ts';
export { sweepLocalCopies } from './sweep-local-copies.ts';
