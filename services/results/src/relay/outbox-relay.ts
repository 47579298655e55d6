import type { Publisher } from '@earshot/jobs';
import type { Logger } from '@earshot/service-kit';
import type { ObjectStorage } from '@earshot/storage';
import type { Database } from '../store/database.ts';
import { markFinished, markPublished, type OutboxRow, openOutbox } from '../store/sql/outbox.ts';
import { finalMessage } from './final-message.ts';
import { removeChunks } from './remove-chunks.ts';
import { type Relay, type RelayOptions, startRelay, succeeding } from './start-relay.ts';

export interface OutboxRelayOptions
  extends Pick<RelayOptions<OutboxRow>, 'sweepEveryMs' | 'leftOverAfterMs'> {
  readonly database: Database;
  readonly storage: ObjectStorage;
  readonly publisher: Publisher;
  readonly log: Logger;
}

/** Brings final facts from the outbox to the broker. */
export type OutboxRelay = Relay<OutboxRow>;

/** Workers of a canceled transcript stop at their next beat; what they store until then is removed by the sweep. */
const isTidiedTwice = ({ payload }: OutboxRow) => payload.status === 'canceled';

const idsOf = (rows: readonly OutboxRow[]) => rows.map((row) => row.id);

/** Starts the relay of final facts and its sweep. */
export function startOutboxRelay(options: OutboxRelayOptions): OutboxRelay {
  const { database, storage, publisher, log } = options;

  const failed = ({ payload: { transcript_id } }: OutboxRow, err: unknown) =>
    log.warn({ err, transcript_id }, 'a final fact is left for the next sweep of the outbox');

  async function publish(row: OutboxRow): Promise<void> {
    if (row.unpublished) await publisher.publish(finalMessage(row));
  }

  async function tidy({ payload }: OutboxRow): Promise<void> {
    if (payload.status !== 'completed' && payload.status !== 'canceled') return;
    await removeChunks(storage, payload.tenant_id, payload.transcript_id);
  }

  /** Marks after each step, so that trouble with the second does not repeat the first. */
  async function relay(rows: readonly OutboxRow[], isSweep: boolean): Promise<number> {
    const published = await succeeding(rows, publish, failed);
    if (published.length === 0) return 0;
    await database.write((tx) => markPublished(tx, idsOf(published)));
    const tidied = await succeeding(published, tidy, failed);
    const finished = tidied.filter((row) => isSweep || !isTidiedTwice(row));
    if (finished.length > 0) await database.write((tx) => markFinished(tx, idsOf(finished)));
    return finished.length;
  }

  return startRelay({ ...options, name: 'outbox', open: openOutbox, relay });
}
