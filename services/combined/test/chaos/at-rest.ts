import { setTimeout as pause } from 'node:timers/promises';
import { DURABLES, STREAMS } from '@earshot/contracts';
import { connect, type JetStreamManager } from 'nats';
import type { ChaosWorld } from './chaos-world.ts';
import type { Rest } from './history.ts';

/** What is still to be done, as the servers say. */
export interface Work extends Pick<Rest, 'jobs' | 'uploads' | 'ack_pending' | 'unsent_outbox'> {
  /** Transcripts that are not final, or not there yet. */
  readonly open: number;
  /** Facts that results has not stored yet. */
  readonly unread_facts: number;
}

const LOOK_EVERY_MS = 500;

/** Resolves when nothing is left to do, or after `timeoutMs`, to what is left. `ids`: every transcript that must become final. */
export async function untilRest(world: ChaosWorld, ids: readonly string[], timeoutMs: number): Promise<Work> {
  const giveUpAt = performance.now() + timeoutMs;
  for (;;) {
    const work = await workLeft(world, ids).catch(() => undefined);
    const left = work && Object.values(work).reduce((sum, count) => sum + count, 0);
    if (work && (left === 0 || performance.now() > giveUpAt)) return work;
    if (performance.now() > giveUpAt + 60_000) throw new Error('the servers do not say what is left to do');
    await pause(LOOK_EVERY_MS);
  }
}

async function workLeft(world: ChaosWorld, ids: readonly string[]): Promise<Work> {
  const [rows, streams] = await Promise.all([inDatabase(world, ids), inStreams(world)]);
  return { ...rows, ...streams };
}

async function inDatabase({ database }: ChaosWorld, ids: readonly string[]) {
  const [row] = await database.query<{ open: number; unsent_outbox: number }>(
    `SELECT
       (SELECT count(*)::int FROM unnest($1::uuid[]) AS w (id) WHERE NOT EXISTS (
          SELECT FROM transcripts t WHERE t.id = w.id AND t.status NOT IN ('queued', 'processing'))) AS open,
       (SELECT count(*)::int FROM outbox WHERE finished_at IS NULL) AS unsent_outbox`,
    [ids],
  );
  if (!row) throw new Error('the database says nothing');
  return row;
}

async function inStreams({ broker }: ChaosWorld) {
  const connection = await connect({ servers: broker.url, timeout: 5_000, reconnect: false });
  try {
    const manager = await connection.jetstreamManager();
    const [jobs, uploads, results, ack_pending] = await Promise.all([
      manager.streams.info(STREAMS.jobs),
      manager.streams.info(STREAMS.uploads),
      manager.consumers.info(STREAMS.transcripts, DURABLES.results),
      ackPending(manager),
    ]);
    return {
      jobs: jobs.state.messages,
      uploads: uploads.state.messages,
      unread_facts: results.num_pending,
      ack_pending: ack_pending + results.num_ack_pending,
    };
  } finally {
    await connection.close();
  }
}

async function ackPending(manager: JetStreamManager): Promise<number> {
  let total = 0;
  for (const stream of [STREAMS.jobs, STREAMS.uploads]) {
    for await (const { num_ack_pending } of manager.consumers.list(stream)) total += num_ack_pending;
  }
  return total;
}
