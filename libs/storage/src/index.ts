export { checkKey, checkTenantKey } from './check-key.ts';
export { type CallObject, callAt, manifestAt, storageKeys } from './keys.ts';
export type { ByteRange, ObjectInfo, ObjectStorage } from './object-storage.ts';
