import type { Database } from './database.ts';
import { dropLease, takeLease } from './sql/marks.ts';

/** What the work under a lease may do with it. */
export interface Lease {
  /** Extends the lease by its whole length; false when it was lost, and then the work must stop. */
  renew(): Promise<boolean>;
}

/**
 * Runs work that only one replica may do at a time, under a lease kept as a row (no session locks, so transaction
 * poolers can be used). Undefined when another holder has it. The work renews the lease before `ttlMs` are over.
 */
export async function withLease<T>(
  database: Database,
  lease: { readonly name: string; readonly holder: string; readonly ttlMs: number },
  work: (held: Lease) => Promise<T>,
): Promise<T | undefined> {
  const renew = () => database.write((tx) => takeLease(tx, lease));
  if (!(await renew())) return undefined;
  try {
    return await work({ renew });
  } finally {
    // A lease that cannot be given back runs out by itself.
    await database.write((tx) => dropLease(tx, lease)).catch(() => undefined);
  }
}
