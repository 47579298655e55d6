export { openStorage } from './open-storage.ts';
export { type BucketsConfig, openTenantBuckets } from './open-tenant-buckets.ts';
