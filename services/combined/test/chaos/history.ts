/** How a submission ended for the client. `unknown`: no answer came, so it may exist or not, but only once. */
export type SubmissionOutcome = 'accepted' | 'unknown' | 'refused';

/** One recording as a client sent it; repeats of the same key are one submission. */
export interface Submission {
  readonly id: string;
  readonly outcome: SubmissionOutcome;
  /** Of a refusal. */
  readonly code?: string;
  /** Whether some of its chunks can never be transcribed. */
  readonly poison: boolean;
}

/** A chunk in PostgreSQL, with the text that its sound must give. */
export interface StoredChunk {
  readonly plan: number;
  readonly n: number;
  readonly text: string;
  readonly expected: string;
}

/** A transcript in PostgreSQL at rest. */
export interface StoredTranscript {
  readonly id: string;
  readonly status: string;
  readonly revision: number;
  readonly plan: number | null;
  /** Chunks the recording was cut into; null when it never was. */
  readonly count: number | null;
  readonly text: string;
  readonly chunks: readonly StoredChunk[];
  /** Chunks given up on that have no result. */
  readonly gaps: readonly { readonly plan: number; readonly n: number }[];
}

/** A message in the stream of facts: a chunk's result or a final state. */
export interface ChunkFactRecord {
  readonly id: string;
  readonly plan: number;
  readonly n: number;
  readonly text: string;
}
export interface FinalFactRecord {
  readonly id: string;
  readonly status: string;
  readonly revision: number;
}

/** A call in the engine's own log. `key` names the sound and the settings it was for. */
export interface EngineCall {
  readonly engine: string;
  readonly key: string;
}

/** A worker's own account of one run of a job, from its log. */
export interface JobRun {
  readonly worker: string;
  readonly job: string;
  readonly attempt: number;
  readonly delivery: number;
  /** Of its message in the stream: a job may have two, which are two messages. */
  readonly seq: number;
  /** Milliseconds since the epoch. */
  readonly started_at: number;
  /** Both undefined when the worker ended before the job did. */
  readonly ended_at: number | undefined;
  readonly outcome: string | undefined;
}

/**
 * A time in which something was broken; milliseconds since the epoch. `thing` is a victim, an edge, `store` (all that the
 * broker held is gone), or `stall` (nobody broke anything, and yet nothing moved).
 */
export interface Disturbance {
  readonly thing: string;
  readonly from: number;
  readonly to: number;
}

/** How much there was at once at the most, and how much is allowed. */
export interface Peak {
  /** E.g. `calls of lookup`. */
  readonly what: string;
  readonly peak: number;
  readonly allowed: number;
}

/** Reading requests of clients that repeat what got no answer. */
export interface Requests {
  readonly made: number;
  readonly repeated: number;
  /** Given up on after many repeats. */
  readonly unanswered: number;
}

/** What is left when all work is done. */
export interface Rest {
  readonly jobs: number;
  readonly uploads: number;
  readonly ack_pending: number;
  readonly unsent_outbox: number;
  readonly orphans: readonly string[];
  /** Paid calls whose fate nobody knows. */
  readonly unclear_calls: number;
}

/** Everything that happened in a run, as PostgreSQL, the streams, the engine and the processes tell it. */
export interface History {
  readonly submissions: readonly Submission[];
  readonly transcripts: readonly StoredTranscript[];
  readonly chunkFacts: readonly ChunkFactRecord[];
  readonly finalFacts: readonly FinalFactRecord[];
  readonly calls: readonly EngineCall[];
  /** Calls whose answer the engine lost on purpose and that could not be looked up. */
  readonly ambiguous: ReadonlyMap<string, number>;
  /** Engines whose calls cost money. */
  readonly paid: ReadonlySet<string>;
  readonly peaks: readonly Peak[];
  readonly runs: readonly JobRun[];
  readonly disturbances: readonly Disturbance[];
  /** Workers that were asked to stop, with the jobs they had in work then. */
  readonly stopped: readonly { readonly worker: string; readonly jobs: readonly string[] }[];
  readonly rest: Rest;
  /** Jobs that the reconciler published again because nobody had them. */
  readonly brought_back: number;
  readonly requests: Requests;
  /** True when services were only asked to stop, one after another: nobody may notice. */
  readonly gentle: boolean;
}
