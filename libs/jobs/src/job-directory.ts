import type { StoredFact } from './fact-reader.ts';

/** Knows which jobs the broker holds. */
export interface JobDirectory {
  /**
   * Subjects of a transcript's jobs that wait, are in flight, or are scheduled for later (by the subject they will get).
   * A job that is missing was acknowledged, or never published.
   */
  jobsOf(tenant: string, id: string): Promise<ReadonlySet<string>>;
  /** The newest job on a subject that waits or is in flight; schedules are not seen. */
  last(subject: string): Promise<StoredFact | undefined>;
}
