import type { DeadLettersChanged } from '@earshot/contracts';
import { CodedError } from '@earshot/domain';
import { markDealtWith } from '../store/sql/dead-letters.ts';
import {
  type FullDeadLetterRow,
  findDeadLetter,
  type LetterFilter,
  type LetterOwner,
  newestDeadLetter,
  pageOfDeadLetters,
} from '../store/sql/find-dead-letters.ts';
import type { Replay } from '../store/sql/replays.ts';
import type { RoundDeps } from './prepare-round.ts';
import { type ReplayMessagesDeps, replayMessages } from './replay-messages.ts';
import { replayWork } from './replay-work.ts';

export interface DeadLetterDeps extends RoundDeps, ReplayMessagesDeps {
  /** Gets the jobs of each committed transaction. */
  readonly onReplay: (replays: readonly Replay[]) => void;
}

/** Deals with a page of open dead letters; returns how many it changed, and why it left others. */
type Deal = (
  letters: readonly FullDeadLetterRow[],
) => Promise<{ changed: number; refusals: ReadonlyMap<number, CodedError> }>;

const PAGE = 100;
const NO_REFUSALS: ReadonlyMap<number, CodedError> = new Map();

/** Sends what was given up on round again. */
export function replaying(deps: DeadLetterDeps, traceparent: string | undefined): Deal {
  return async (letters) => {
    const work = await replayWork(
      deps,
      letters.filter(({ stage }) => stage !== 'message'),
      traceparent,
    );
    deps.onReplay(work.replays);
    const messages = await replayMessages(
      deps,
      letters.filter(({ stage }) => stage === 'message'),
    );
    const refusals = new Map([...work.refusals, ...messages.refusals]);
    return { changed: work.changed + messages.changed, refusals };
  };
}

/** Takes note that nobody wants what was given up on; its gap stays. */
export function discarding({ database }: DeadLetterDeps): Deal {
  return async (letters) => {
    const ids = letters.map(({ id }) => id);
    const changed = await database.write((tx) => markDealtWith(tx, 'discarded', ids));
    return { changed, refusals: NO_REFUSALS };
  };
}

/** A dead letter by its id; throws `not_found`, also for another tenant's. */
export async function readDeadLetter(
  { database }: Pick<DeadLetterDeps, 'database'>,
  owner: LetterOwner,
  id: string,
): Promise<FullDeadLetterRow> {
  // More digits than a double holds exactly were never given out.
  const letter = /^[0-9]{1,15}$/.test(id)
    ? await database.read((tx) => findDeadLetter(tx, owner, id))
    : undefined;
  if (!letter) throw new CodedError('not_found', 'there is no dead letter with this id');
  return letter;
}

/** Deals with one dead letter; 0 when somebody dealt with it before. Throws why it cannot be. */
export async function dealWithOne(
  deps: DeadLetterDeps,
  owner: LetterOwner,
  id: string,
  deal: Deal,
): Promise<number> {
  const letter = await readDeadLetter(deps, owner, id);
  if (letter.state !== 'open') return 0;
  const { changed, refusals } = await deal([letter]);
  const refusal = refusals.get(letter.id);
  if (refusal) throw refusal;
  return changed;
}

/**
 * Deals with all open dead letters that match, page by page, each page on its own: what is done stays done when a later
 * one fails. What is given up on meanwhile is left for another time.
 */
export async function dealWithMany(
  { database }: DeadLetterDeps,
  filter: Omit<LetterFilter, 'states'>,
  deal: Deal,
): Promise<DeadLettersChanged> {
  const open = { ...filter, states: ['open'] };
  const upTo = await database.read(newestDeadLetter);
  const total = { changed: 0, refused: 0 };
  for (let after = 0; ; ) {
    const page = { after, upTo, limit: PAGE };
    const letters = await database.read((tx) => pageOfDeadLetters(tx, open, page));
    if (letters.length > 0) {
      const { changed, refusals } = await deal(letters);
      total.changed += changed;
      total.refused += refusals.size;
    }
    if (letters.length < PAGE) return total;
    after = letters.at(-1)?.id ?? upTo;
  }
}
