import type { CloudEvent } from '@earshot/contracts';

/** A fact as the broker keeps it. */
export interface StoredFact {
  readonly subject: string;
  readonly event: CloudEvent;
  readonly time: Date;
}

/** Reads back facts; never from a replica that may lag. */
export interface FactReader {
  /** The newest fact on a subject, wildcards allowed. */
  last(subject: string): Promise<StoredFact | undefined>;
}

/** Knows which engines the installation has consumers for. Answers may be 2 s old. */
export interface EngineDirectory {
  hasEngine(engine: string): Promise<boolean>;
}
