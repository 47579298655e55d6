import { CodedError } from '@earshot/domain';
import { type BucketAddress, parseBucketAddress } from './bucket-address.ts';
import type { BucketList } from './bucket-list.ts';
import type { ObjectStorage } from './object-storage.ts';

/** A bucket of a tenant: it is read, and nothing else. */
export type ReadableBucket = Pick<ObjectStorage, 'get' | 'stat' | 'localFile' | 'addressOf'>;

/** Recordings that lie in buckets of tenants, read in place. */
export interface TenantBuckets {
  /** Throws `forbidden_bucket` when the tenant may not read the address `gs://bucket/key`. Asks nobody. */
  check(tenant: string, uri: string): BucketAddress;
  /** The bucket of an address, and the key in it; throws like `check`. */
  find(tenant: string, uri: string): { readonly bucket: ReadableBucket; readonly key: string };
  /** The tenant whose recording an object is. */
  tenantOf(address: BucketAddress): string | undefined;
  /** Whether an object is one of our own, which no list opens. */
  isOurs(address: BucketAddress): boolean;
  /** Frees connections. Idempotent. */
  close(): Promise<void>;
}

export interface TenantBucketsOptions {
  readonly list: () => BucketList;
  readonly open: (bucket: string) => ObjectStorage;
  /** Addresses that no list opens: our own storage, where the recordings of all tenants lie. */
  readonly isOurs: (address: BucketAddress) => boolean;
}

/** For an installation that reads from no bucket of anybody. */
export const noTenantBuckets: TenantBuckets = {
  check: (tenant, uri) => refuse(tenant, parseBucketAddress(uri)),
  find: (tenant, uri) => refuse(tenant, parseBucketAddress(uri)),
  tenantOf: () => undefined,
  isOurs: () => false,
  close: async () => undefined,
};

/** Buckets by the list as it is at each question. */
export function tenantBuckets({ list, open, isOurs }: TenantBucketsOptions): TenantBuckets {
  const opened = new Map<string, ObjectStorage>();
  const bucketOf = (name: string) => {
    const bucket = opened.get(name) ?? open(name);
    opened.set(name, bucket);
    return bucket;
  };
  const check = (tenant: string, uri: string) => {
    const address = parseBucketAddress(uri);
    if (!isOurs(address) && list().allows(tenant, address)) return address;
    return refuse(tenant, address);
  };
  return {
    check,
    find: (tenant, uri) => {
      const { bucket, key } = check(tenant, uri);
      return { bucket: bucketOf(bucket), key };
    },
    tenantOf: (address) => (isOurs(address) ? undefined : list().tenantOf(address)),
    isOurs,
    close: async () => void (await Promise.all([...opened.values()].map((bucket) => bucket.close()))),
  };
}

function refuse(tenant: string, { bucket }: BucketAddress): never {
  throw new CodedError('forbidden_bucket', `${tenant} may not read from this place in gs://${bucket}`);
}
