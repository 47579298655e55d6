import { type Bucket, IdempotencyStrategy, Storage } from '@google-cloud/storage';

/** Whom a bucket is asked as, and where. */
export interface GcsAccess {
  /** A service account's or other credentials. Default: what the environment offers (workload identity, a file). */
  readonly credentials?: object | undefined;
  /** Default: the project of the credentials. */
  readonly projectId?: string | undefined;
  /** Another server than Google's, e.g. `http://127.0.0.1:4443`, asked without credentials: for emulators and tests. */
  readonly apiEndpoint?: string | undefined;
}

/**
 * A bucket of the client library. All of our calls may be repeated: reads and deletions are idempotent, a repeated write
 * writes the same bytes, and a repeated create-only one finds its own mark. (The library's default switches retries off
 * in state that all calls of a client share.)
 */
export function connectBucket(name: string, { credentials, projectId, apiEndpoint }: GcsAccess): Bucket {
  const storage = new Storage({
    ...(credentials ? { credentials } : {}),
    ...(projectId ? { projectId } : {}),
    ...(apiEndpoint ? { apiEndpoint, projectId: projectId ?? 'local' } : {}),
    retryOptions: {
      idempotencyStrategy: IdempotencyStrategy.RetryAlways,
      maxRetries: 2,
      maxRetryDelay: 4,
      totalTimeout: 20,
    },
  });
  return storage.bucket(name);
}
