import type { Lane } from './names.ts';

/** What a fact's subject ends with after the tenant and the transcript id. */
export type FinalStatus = 'completed' | 'partial' | 'failed' | 'canceled' | 'deleted';

/** Which step gave up. */
export type Stage = 'accept' | 'split' | 'chunk';

/** Where upload events of a tenant go. */
export const uploadSubject = (tenant: string) => `uploads.${tenant}`;

/** A job that cuts one recording. */
export const splitJobSubject = (lane: Lane, tenant: string, id: string) =>
  `jobs.split.${lane}.${tenant}.${id}`;

/** A job that transcribes one chunk. */
export const chunkJobSubject = (job: {
  engine: string;
  lane: Lane;
  tenant: string;
  id: string;
  plan: number;
  n: number;
}) => `jobs.chunk.${job.engine}.${job.lane}.${job.tenant}.${job.id}.${job.plan}.${job.n}`;

/** Where the schedule of a job waits until the job's own subject gets it; `jobs.x` becomes `jobs.later.x`. */
export const laterSubject = (jobSubject: string) => jobSubject.replace(/^jobs\./, 'jobs.later.');

/** The job that a schedule waits for. */
export const dueSubject = (subject: string) => subject.replace(/^jobs\.later\./, 'jobs.');

/** Filters that together match every job of a transcript, those that are scheduled too. */
export const jobFilters = (tenant: string, id: string): readonly string[] =>
  ['jobs', 'jobs.later'].flatMap((root) => [
    `${root}.split.*.${tenant}.${id}`,
    `${root}.chunk.*.*.${tenant}.${id}.>`,
  ]);

/** Subjects of the facts about one transcript. `any` matches all of them. */
export const factSubjects = (tenant: string, id: string) => {
  const root = `transcripts.${tenant}.${id}`;
  return {
    any: `${root}.>`,
    /** Matches the one-word facts only: accepted and the final states. */
    states: `${root}.*`,
    accepted: `${root}.accepted`,
    /** Matches the split facts of all plans. */
    splits: `${root}.split.*`,
    /** Matches every give-up, of whatever stage. */
    gaveUps: `${root}.gave_up.>`,
    split: (plan: number) => `${root}.split.${plan}`,
    chunk: (plan: number, n: number) => `${root}.chunk.${plan}.${n}`,
    gaveUp: (stage: Stage, plan: number, n: number) => `${root}.gave_up.${stage}.${plan}.${n}`,
    final: (status: FinalStatus) => `${root}.${status}`,
  };
};

/** The tenant and transcript a fact's subject names, and the words after them. */
export function parseFactSubject(
  subject: string,
): { tenant: string; id: string; words: string[] } | undefined {
  const [root, tenant, id, ...words] = subject.split('.');
  if (root !== 'transcripts' || !tenant || !id || words.length === 0) return undefined;
  return { tenant, id, words };
}

/** Core subjects (no stream) on which workers answer: all of them to `ping`, one or all to `restart-pool`. */
export const workerSubjects = {
  ping: 'workers.ping',
  restartPool: (id: string) => `workers.${id}.restart-pool`,
} as const;

/** Where an engine's entry in the bucket `spend` is. */
export const spendSubject = (engine: string) => `$KV.spend.${engine}`;

/** Where a worker keeps its state in the bucket `workers`; `>` for all of them. */
export const workerStateSubject = (id: string) => `$KV.workers.${id}`;
