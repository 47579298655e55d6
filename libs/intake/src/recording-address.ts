import { CodedError } from '@earshot/domain';
import { checkTenantKey, isBucketAddress, type TenantBuckets } from '@earshot/storage';

const SCHEME = /^([A-Za-z][A-Za-z0-9+.-]*):/;

/** What tells whether a tenant may have an address in a bucket read. */
export type BucketCheck = Pick<TenantBuckets, 'check'>;

/**
 * Where a recording lies: a storage key of the tenant, or an address in one of its buckets, where it stays. Throws
 * `forbidden_key` or `forbidden_bucket` outside the tenant, and `unsupported_uri` elsewhere.
 */
export function addressOf(tenant: string, uri: string, buckets: BucketCheck): string {
  if (isBucketAddress(uri)) {
    buckets.check(tenant, uri);
    return uri;
  }
  const scheme = SCHEME.exec(uri)?.[1];
  if (scheme)
    throw new CodedError('unsupported_uri', `${scheme.toLowerCase()}: addresses cannot be read yet`);
  return checkTenantKey(tenant, uri);
}
