import { CodedError } from '@earshot/domain';
import type { ObjectStorage } from '@earshot/storage';
import { applyFacts } from '../facts/apply-facts.ts';
import type { Fact } from '../facts/fact.ts';
import { readFact } from '../facts/read-fact.ts';
import type { Database } from '../store/database.ts';
import { markDealtWith } from '../store/sql/dead-letters.ts';
import type { FullDeadLetterRow } from '../store/sql/find-dead-letters.ts';
import type { OutboxRow } from '../store/sql/outbox.ts';
import { isBadData } from '../store/sql-errors.ts';

export interface ReplayMessagesDeps {
  readonly database: Database;
  readonly storage: ObjectStorage;
  /** Gets the final facts of each committed transaction. */
  readonly onFinal: (rows: readonly OutboxRow[]) => void;
}

const conflict = (detail: string) => new CodedError('conflict', detail);

interface Readable {
  readonly letter: FullDeadLetterRow;
  readonly fact: Fact;
}

function eventIn(payload: Buffer) {
  try {
    return JSON.parse(payload.toString('utf8'));
  } catch {
    return undefined;
  }
}

async function readAgain({ storage }: ReplayMessagesDeps, letter: FullDeadLetterRow): Promise<Readable> {
  const { payload, subject, seq, status } = letter;
  if (letter.tenant_id === null || !payload) throw conflict('whose message it is cannot be told');
  if (status === 'deleted') throw new CodedError('gone');
  if (status === 'canceled') throw conflict('the transcript is canceled');
  const message = { subject, seq, bytes: payload, event: eventIn(payload), traceparent: undefined };
  const fact = await readFact(message, storage);
  if (fact?.kind === 'unreadable') {
    throw conflict(`the message still cannot be read: ${fact.letter.evidence.detail}`);
  }
  if (!fact) throw conflict('the message tells nothing that is not known');
  return { letter, fact };
}

async function store(deps: ReplayMessagesDeps, readable: readonly Readable[]): Promise<number> {
  const { changed, final } = await deps.database.write(async (tx) => {
    const { final } = await applyFacts(
      tx,
      readable.map(({ fact }) => fact),
    );
    const ids = readable.map(({ letter }) => letter.id);
    return { final, changed: await markDealtWith(tx, 'replayed', ids) };
  });
  deps.onFinal(final);
  return changed;
}

/**
 * Takes messages that nobody could read once more, as if they came just now: a newer version may know them, or their data
 * may be back. Most pages are one transaction; one that the database refuses is taken message by message.
 */
export async function replayMessages(
  deps: ReplayMessagesDeps,
  letters: readonly FullDeadLetterRow[],
): Promise<{ changed: number; refusals: Map<number, CodedError> }> {
  const refusals = new Map<number, CodedError>();
  const readable: Readable[] = [];
  for (const letter of letters) {
    await readAgain(deps, letter).then(
      (one) => readable.push(one),
      (error: unknown) => {
        if (!(error instanceof CodedError) || error.class !== 'caller') throw error;
        refusals.set(letter.id, error);
      },
    );
  }
  if (readable.length === 0) return { changed: 0, refusals };
  try {
    return { changed: await store(deps, readable), refusals };
  } catch (error) {
    if (!isBadData(error)) throw error;
  }
  let changed = 0;
  for (const one of readable) {
    changed += await store(deps, [one]).catch((error: unknown) => {
      if (!isBadData(error)) throw error;
      refusals.set(one.letter.id, conflict('the database refuses the data of the message'));
      return 0;
    });
  }
  return { changed, refusals };
}
