import { toCodedError } from '@earshot/domain';
import type { Logger } from '@earshot/service-kit';
import type { ObjectStorage } from '@earshot/storage';
import type { Database } from '../store/database.ts';
import type { OutboxRow } from '../store/sql/outbox.ts';
import { isBadData } from '../store/sql-errors.ts';
import { type Applied, applyFacts } from './apply-facts.ts';
import type { Fact } from './fact.ts';
import { type ReceivedMessage, readFact } from './read-fact.ts';
import { unreadable } from './unreadable-fact.ts';

export interface FactHandlerDeps {
  readonly database: Database;
  readonly storage: ObjectStorage;
  readonly log: Logger;
  /** Gets the final facts of each committed transaction. */
  readonly onFinal: (rows: readonly OutboxRow[]) => void;
  /** Gets what paid calls cost, once for each. */
  readonly onBilled?: ((rows: Applied['billed']) => void) | undefined;
}

/**
 * Stores facts: one batch, one transaction. Resolves when they are committed and may be acknowledged; rejects when
 * they are to be handed over again. A message whose data PostgreSQL refuses is kept as a dead letter, and does not
 * hold up the others of its batch.
 */
export function factHandler(deps: FactHandlerDeps): (batch: readonly ReceivedMessage[]) => Promise<void> {
  const { database, storage, log } = deps;

  async function store(facts: readonly Fact[]): Promise<void> {
    if (facts.length === 0) return;
    try {
      const { final, billed } = await database.write((tx) => applyFacts(tx, facts));
      deps.onFinal(final);
      deps.onBilled?.(billed);
    } catch (error) {
      if (!isBadData(error)) throw error;
      await storeSingly(facts, error);
    }
  }

  async function storeSingly(facts: readonly Fact[], error: unknown): Promise<void> {
    const [fact] = facts;
    if (facts.length > 1) {
      for (const one of facts) await store([one]);
    } else if (fact && fact.kind !== 'unreadable') {
      log.error({ err: error, subject: fact.subject, seq: fact.seq }, 'a fact was refused by the database');
      await store([unreadable(fact, toCodedError(error, 'unreadable_message'))]);
    } else {
      throw error;
    }
  }

  return async (batch) => {
    const facts = await Promise.all(batch.map((message) => readFact(message, storage)));
    for (const fact of facts) {
      if (fact?.kind !== 'unreadable') continue;
      log.error({ subject: fact.subject, seq: fact.seq, code: fact.letter.code }, 'a fact cannot be read');
    }
    await store(facts.filter((fact) => fact !== undefined));
  };
}
