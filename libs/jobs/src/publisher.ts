import type { OutgoingMessage } from '@earshot/contracts';

/** Whether the broker took a message, or already held one on the subject. */
export type FirstResult = 'stored' | 'already_there';

/**
 * Publishes to the broker. Every promise resolves after the broker stored the message; it is repeated inside a time
 * limit, then `unavailable` (no answer) or `storage_full` (refused) is thrown.
 */
export interface Publisher {
  publish(message: OutgoingMessage): Promise<void>;
  /** Stores the message only while nothing is on its subject, or on `scope` (a subject with wildcards) when given. */
  publishFirst(message: OutgoingMessage, scope?: string): Promise<FirstResult>;
  /** Stores a job as a schedule that puts it on its own subject at `at`; a later schedule of the same job replaces it. */
  publishLater(message: OutgoingMessage, at: Date): Promise<void>;
}
