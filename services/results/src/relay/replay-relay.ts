import { setTimeout as pause } from 'node:timers/promises';
import { type ChunkJob, chunkJob, factSubjects, type SplitJob, splitJob } from '@earshot/contracts';
import { CodedError } from '@earshot/domain';
import type { JobDirectory, Publisher } from '@earshot/jobs';
import type { Logger } from '@earshot/service-kit';
import type { Database } from '../store/database.ts';
import { markSent, openReplays, type Replay } from '../store/sql/replays.ts';
import { SOURCE } from './final-message.ts';
import { type Relay, type RelayOptions, startRelay, succeeding } from './start-relay.ts';

export interface ReplayRelayOptions extends Pick<RelayOptions<Replay>, 'sweepEveryMs' | 'leftOverAfterMs'> {
  readonly database: Database;
  readonly publisher: Publisher;
  readonly jobs: Pick<JobDirectory, 'last'>;
  /** Removes the facts on a subject up to a sequence, inclusive. */
  readonly removeFacts: (subject: string, upTo: number) => Promise<void>;
  readonly log: Logger;
}

/** Brings jobs that are sent round again to the broker. */
export type ReplayRelay = Relay<Replay>;

/** How soon a job is tried again while an older copy lies in its place: that one is about to be acknowledged. */
const SOON_MS = [100, 200, 400, 800, 1_600, 3_200];

/** Jobs at the broker at once; a long recording may have a thousand. */
const IN_FLIGHT = 50;

function messageOf({ stage, job, traceparent }: Replay) {
  const context = { source: SOURCE, traceparent: traceparent ?? undefined };
  return stage === 'split'
    ? splitJob.create(job as SplitJob, context)
    : chunkJob.create(job as ChunkJob, context);
}

const generationOf = (data: unknown) => Number((data as { generation?: unknown } | null)?.generation ?? 0);

/** Starts the relay of replays and its sweep. */
export function startReplayRelay(options: ReplayRelayOptions): ReplayRelay {
  const { database, publisher, jobs, removeFacts, log } = options;
  const closing = new AbortController();

  const failed = (replay: Replay, err: unknown) => {
    const { transcript_id, stage, plan, n } = replay;
    log.warn({ err, transcript_id, stage, plan, n }, 'a job is left for the next sweep of the replays');
  };

  /** A fact that nobody can read must not stand for the result, nor keep it from being stored. */
  async function clearWay({ job, stage, plan, n, obstacle_seq }: Replay): Promise<void> {
    if (obstacle_seq === null) return;
    const subjects = factSubjects(job.tenant_id, job.transcript_id);
    const result = stage === 'split' ? subjects.split(plan) : subjects.chunk(plan, n);
    for (const subject of [result, subjects.gaveUp(stage, plan, n)]) await removeFacts(subject, obstacle_seq);
  }

  /** A copy of this generation is as good as ours; an older one ends without a result. */
  async function send(replay: Replay): Promise<void> {
    await clearWay(replay);
    const message = messageOf(replay);
    for (const wait of SOON_MS) {
      if ((await publisher.publishFirst(message)) === 'stored') return;
      const there = await jobs.last(message.subject);
      if (there && generationOf(there.event.data) >= replay.generation) return;
      await pause(wait, undefined, { signal: closing.signal });
    }
    throw new CodedError('unavailable', 'an older job is still in its place');
  }

  async function relay(rows: readonly Replay[]): Promise<number> {
    let finished = 0;
    for (let at = 0; at < rows.length; at += IN_FLIGHT) {
      const sent = await succeeding(rows.slice(at, at + IN_FLIGHT), send, failed);
      if (sent.length > 0) await database.write((tx) => markSent(tx, sent));
      finished += sent.length;
    }
    return finished;
  }

  const started = startRelay({ ...options, name: 'replays', open: openReplays, relay });
  return {
    ...started,
    close: (graceMs) => {
      closing.abort();
      return started.close(graceMs);
    },
  };
}
