import { type Final, type FinalStatus, finalFacts, parseFactSubject } from '@earshot/contracts';
import { CodedError } from '@earshot/domain';
import { type Broker, type ReceivedFact, readAllFacts } from '@earshot/messaging';
import type { Logger } from '@earshot/service-kit';
import type { ObjectStorage } from '@earshot/storage';
import { factHandler } from '../facts/handle-facts.ts';
import { sweepLease } from '../relay/start-relay.ts';
import type { Database, Transaction } from '../store/database.ts';
import { adoptFinals } from '../store/sql/rebuild.ts';
import { insertStubs, lockTranscripts } from '../store/sql/transcripts.ts';
import { withLease } from '../store/with-lease.ts';

export interface RebuildDeps {
  readonly database: Database;
  readonly broker: Broker;
  readonly storage: ObjectStorage;
  readonly log: Logger;
}

/**
 * Re-creates rows from all facts that the stream still holds, and leaves alone what is there; returns how many facts were
 * read. Final facts that were published before are not published again. Throws `conflict` while another rebuild runs.
 */
export async function rebuildTables(deps: RebuildDeps): Promise<number> {
  // Final facts found by putting pieces together wait until the stream shows that they were published before.
  const lease = { ...sweepLease('outbox'), holder: crypto.randomUUID() };
  const read = await withLease(deps.database, lease, ({ renew }) => readUnderLease(deps, renew));
  if (read === undefined)
    throw new CodedError('conflict', 'final facts are being relayed; try again in a minute');
  deps.log.info({ facts: read }, 'the tables agree with the facts');
  return read;
}

async function readUnderLease(deps: RebuildDeps, renew: () => Promise<boolean>): Promise<number> {
  const { broker, log } = deps;
  const lost = new AbortController();
  const store = factHandler({ ...deps, onFinal: () => undefined });
  let read = 0;
  const handle = async (batch: readonly ReceivedFact[]) => {
    if (!(await renew())) lost.abort(new CodedError('conflict', 'another process relays final facts'));
    for (const part of partsOf(batch)) {
      await store(part);
      await adoptAll(deps.database, part.flatMap(finalOf));
    }
    read += batch.length;
  };
  await readAllFacts(broker, { handle, log, signal: lost.signal });
  return read;
}

/** After these nothing that was transcribed counts any more. */
const ENDS = new Set<FinalStatus>(['canceled', 'deleted']);

const isFinalStatus = (word: string): word is FinalStatus => Object.hasOwn(finalFacts, word);

/** The final state a fact tells of, if it tells of one that can be read. */
function finalOf({ subject, event }: ReceivedFact): Final[] {
  const words = parseFactSubject(subject)?.words ?? [];
  const [status] = words;
  if (words.length !== 1 || !event || !status || !isFinalStatus(status)) return [];
  try {
    return [finalFacts[status].read(event)];
  } catch {
    return [];
  }
}

/** A batch in parts that each end with a cancellation, because what comes after one changes nothing. */
function partsOf(batch: readonly ReceivedFact[]): ReceivedFact[][] {
  const parts: ReceivedFact[][] = [[]];
  for (const fact of batch) {
    parts.at(-1)?.push(fact);
    if (finalOf(fact).some(({ status }) => ENDS.has(status))) parts.push([]);
  }
  return parts.filter((part) => part.length > 0);
}

const adoptAll = (database: Database, finals: readonly Final[]) =>
  finals.length === 0 ? undefined : database.write((tx) => adopt(tx, finals));

async function adopt(tx: Transaction, finals: readonly Final[]): Promise<void> {
  const rows = new Map(
    finals.map(({ transcript_id: id, tenant_id, session_id }) => [id, { id, tenant_id, session_id }]),
  );
  const ids = [...rows.keys()].sort();
  await insertStubs(
    tx,
    ids.map((id) => rows.get(id)).filter((row) => row !== undefined),
  );
  const locked = await lockTranscripts(tx, ids);
  const tenants = new Map(locked.map(({ id, tenant_id }) => [id, tenant_id]));
  await adoptFinals(
    tx,
    finals.filter((fact) => tenants.get(fact.transcript_id) === fact.tenant_id),
  );
}
