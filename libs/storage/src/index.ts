export { type BucketAddress, isBucketAddress, parseBucketAddress } from './bucket-address.ts';
export { bucketFile, bucketFileProblems } from './bucket-file.ts';
export { type BucketList, parseBucketList } from './bucket-list.ts';
export { checkKey, checkTenantKey } from './check-key.ts';
export { type CallObject, callAt, manifestAt, storageKeys } from './keys.ts';
export type { ByteRange, ObjectInfo, ObjectStorage } from './object-storage.ts';
export {
  noTenantBuckets,
  type ReadableBucket,
  type TenantBuckets,
  type TenantBucketsOptions,
  tenantBuckets,
} from './tenant-buckets.ts';
