import { CodedError } from '@earshot/domain';
import { traceparentOf } from '@earshot/intake';
import type { Transaction } from '../store/database.ts';
import { insertChunks } from '../store/sql/chunks.ts';
import { type DeadLetter, insertDeadLetters } from '../store/sql/dead-letters.ts';
import { advancePosition } from '../store/sql/marks.ts';
import type { OutboxRow } from '../store/sql/outbox.ts';
import { insertSplits } from '../store/sql/splits.ts';
import {
  insertStubs,
  type LockedTranscript,
  lockTranscripts,
  type Stub,
  storeAccepted,
  touchTranscripts,
} from '../store/sql/transcripts.ts';
import { insertUsage, type Usage } from '../store/sql/usage.ts';
import { paidChunks } from '../usage/paid-chunks.ts';
import { addressOf, type Fact, type FactData, type FactKind } from './fact.ts';
import { finishSettled } from './finish-transcripts.ts';
import { disowned, unreadable } from './unreadable-fact.ts';

/** The mark that tells how far the stream of facts was stored. */
export const FACTS_MARK = 'transcripts';

/** Makes the rows a batch is about where there are none, and locks them all in id order. */
async function lockAll(tx: Transaction, facts: readonly Fact[]): Promise<Map<string, LockedTranscript>> {
  const stubs = new Map<string, Stub>();
  for (const fact of facts) {
    const address = addressOf(fact);
    // An event that was never accepted tells its session only in the fact that it was given up on.
    const session_id = fact.kind === 'gave_up' ? (fact.data.session_id ?? null) : null;
    if (address && !stubs.has(address.id)) {
      stubs.set(address.id, { ...address, session_id, traceparent: traceparentOf(fact.traceparent) });
    }
  }
  const ids = [...stubs.keys()].sort();
  if (ids.length === 0) return new Map();
  await insertStubs(
    tx,
    ids.map((id) => stubs.get(id)).filter((row) => row !== undefined),
  );
  const rows = await lockTranscripts(tx, ids);
  return new Map(rows.map((row) => [row.id, row]));
}

/** Facts that say something about a canceled transcript; results that come late change nothing. */
const AFTER_CANCEL = new Set<Fact['kind']>(['accepted', 'unreadable']);

/** Drops late facts of canceled and deleted transcripts; a transcript named under another tenant is left alone, and the message kept. */
function admit(fact: Fact, locked: ReadonlyMap<string, LockedTranscript>): Fact | undefined {
  const address = addressOf(fact);
  const transcript = address && locked.get(address.id);
  if (!address || !transcript) return fact;
  if (transcript.status === 'deleted') return undefined;
  if (transcript.tenant_id === address.tenant_id) {
    return transcript.status === 'canceled' && !AFTER_CANCEL.has(fact.kind) ? undefined : fact;
  }
  if (fact.kind === 'unreadable') return disowned(fact);
  return disowned(
    unreadable(fact, new CodedError('unreadable_message', 'the transcript is another tenant’s')),
  );
}

const dataOf = <Kind extends FactKind>(facts: readonly Fact[], kind: Kind): FactData[Kind][] =>
  facts.flatMap((fact) => (fact.kind === kind ? [fact.data as FactData[Kind]] : []));

function letterOf(fact: Fact): DeadLetter[] {
  if (fact.kind === 'unreadable') return [fact.letter];
  if (fact.kind !== 'gave_up') return [];
  const { data, subject, seq } = fact;
  const range = { start_ms: data.start_ms ?? null, end_ms: data.end_ms ?? null };
  return [{ ...data, ...range, job: data.job ?? null, payload: null, subject, seq }];
}

const some = <T>(items: readonly T[], store: (items: readonly T[]) => Promise<string[]>) =>
  items.length > 0 ? store(items) : Promise.resolve([]);

/** Stores a batch and returns the transcripts about which it told something new. */
async function storeAll(tx: Transaction, facts: readonly Fact[]): Promise<Set<string>> {
  const accepted = dataOf(facts, 'accepted');
  if (accepted.length > 0) await storeAccepted(tx, accepted);
  const split = await some(dataOf(facts, 'split'), (rows) => insertSplits(tx, rows));
  const transcribed = await some(dataOf(facts, 'chunk'), (rows) => insertChunks(tx, rows));
  const givenUp = await some(facts.flatMap(letterOf), (rows) => insertDeadLetters(tx, rows));
  return new Set([...split, ...transcribed, ...givenUp]);
}

/** What is true once the transaction of a batch is committed. */
export interface Applied {
  /** Final facts to publish. */
  readonly final: OutboxRow[];
  /** What paid calls cost of which nothing was known before. */
  readonly billed: Pick<Usage, 'engine' | 'billed_ms'>[];
}

/**
 * Applies one batch of facts inside a transaction, with a number of statements that does not grow with the batch.
 * Idempotent, and the same in any order.
 */
export async function applyFacts(tx: Transaction, facts: readonly Fact[]): Promise<Applied> {
  const locked = await lockAll(tx, facts);
  const admitted = facts.flatMap((fact) => admit(fact, locked) ?? []);
  const paid = paidChunks(facts, (id) => locked.get(id)?.tenant_id);
  const billed = paid.length > 0 ? await insertUsage(tx, paid) : [];
  const changed = await storeAll(tx, admitted);
  const ids = [...changed].sort();
  if (ids.length > 0) await touchTranscripts(tx, ids);
  const traces = new Map(facts.map((fact) => [addressOf(fact)?.id, fact.traceparent]));
  const final = await finishSettled(
    tx,
    ids.map((id) => locked.get(id)).filter((row) => row !== undefined),
    (id) => traces.get(id),
  );
  await advancePosition(tx, FACTS_MARK, Math.max(...facts.map((fact) => fact.seq)));
  return { final, billed };
}
