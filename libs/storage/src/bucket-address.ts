import { CodedError } from '@earshot/domain';
import { checkKey } from './check-key.ts';

/** An object in somebody's bucket. */
export interface BucketAddress {
  readonly bucket: string;
  readonly key: string;
}

const BUCKET = /^[a-z0-9](?:[a-z0-9._-]{1,220})[a-z0-9]$/;
const ADDRESS = /^gs:\/\/([^/]*)\/(.*)$/s;

/** True for every text that means an object in a bucket, well-formed or not. */
export const isBucketAddress = (uri: string) => /^gs:/i.test(uri);

/**
 * Reads `gs://bucket/key`, literally: nothing is decoded, and a key that {@link checkKey} refuses is `forbidden_key`, so
 * that no reader of the address can see another object in it.
 */
export function parseBucketAddress(uri: string): BucketAddress {
  const [, bucket = '', key = ''] = ADDRESS.exec(uri) ?? [];
  if (!isBucketName(bucket))
    throw new CodedError('unsupported_uri', 'the address is not of the form gs://bucket/key');
  return { bucket, key: checkKey(key) };
}

/** True for names that a bucket can have. */
export const isBucketName = (name: string) => BUCKET.test(name) && !name.includes('..');
