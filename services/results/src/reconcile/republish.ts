import { setTimeout as pause } from 'node:timers/promises';
import { CodedError } from '@earshot/domain';
import type { Publisher } from '@earshot/jobs';
import { type Broker, factPosition } from '@earshot/messaging';
import pMap from 'p-map';
import type { Database } from '../store/database.ts';
import { markChecked, type UnfinishedKey, unfinishedWork } from '../store/sql/unfinished.ts';
import { missingJobs } from './missing-jobs.ts';

export interface RepublishDeps {
  readonly database: Database;
  readonly broker: Pick<Broker, 'jobs'> & Parameters<typeof factPosition>[0];
  readonly publisher: Publisher;
  /** How long facts may take to be stored. */
  readonly catchUpMs: number;
}

const IN_FLIGHT = { concurrency: 32 };
/** Each asks several things of the broker at once, and others have to be answered in between. */
const LOOKUPS = { concurrency: 8 };
/** Transcripts whose work is read at once: one of a day has thousands of chunks, and nothing else moves meanwhile. */
const SLICE = 10;
const LOOK_EVERY_MS = 50;

/**
 * Publishes again the jobs of these transcripts that are neither in the stream nor needed any more; returns how many.
 * The order makes it safe: first which jobs exist, then all facts stored that came before, then what is still to be done.
 * A job that was acknowledged in between has its fact in the database by then. Throws `unavailable` when the facts do not
 * catch up.
 */
export async function republish(
  deps: RepublishDeps,
  keys: readonly UnfinishedKey[],
  idleMs: number,
): Promise<number> {
  const jobsOf = async ({ tenant_id, id }: UnfinishedKey) =>
    [id, await deps.broker.jobs.jobsOf(tenant_id, id)] as const;
  const present = new Map(await pMap(keys, jobsOf, LOOKUPS));
  await factsAreStored(deps);
  const ids = keys.map(({ id }) => id);
  let stored = 0;
  for (let at = 0; at < ids.length; at += SLICE) {
    const slice = ids.slice(at, at + SLICE);
    const open = await deps.database.read((tx) => unfinishedWork(tx, slice, idleMs));
    const jobs = open.flatMap((work) => missingJobs(work, present.get(work.transcript_id) ?? new Set()));
    const results = await pMap(jobs, (job) => deps.publisher.publishFirst(job), IN_FLIGHT);
    stored += results.filter((result) => result === 'stored').length;
  }
  await deps.database.write((tx) => markChecked(tx, ids));
  return stored;
}

/** Resolves when everything that is in the stream now is stored. */
async function factsAreStored({ broker, catchUpMs }: RepublishDeps): Promise<void> {
  const deadline = performance.now() + catchUpMs;
  const end = (await factPosition(broker))?.last_seq;
  for (;;) {
    const now = await factPosition(broker);
    if (now && (now.open === 0 || now.ack_floor >= (end ?? now.last_seq))) return;
    if (!now || performance.now() > deadline) {
      throw new CodedError('unavailable', 'not all facts are stored yet');
    }
    await pause(LOOK_EVERY_MS);
  }
}
