import type { Accepted } from '@earshot/contracts';
import { CodedError, toCodedError } from '@earshot/domain';
import type { ManifestDeps } from '@earshot/intake';
import type { Database } from '../store/database.ts';
import { findUnaccepted, loadRecordings, type Recording } from '../store/sql/recordings.ts';
import { acceptAgain } from './accept-again.ts';

export interface RoundDeps extends ManifestDeps {
  readonly database: Database;
}

/** What has to be known before transcripts are locked and sent round again. */
export interface Preparation {
  /** What was accepted, of those whose rows do not tell it. */
  readonly accepted: readonly Accepted[];
  /** Why a transcript cannot be sent round, by its id. */
  readonly refusals: ReadonlyMap<string, CodedError>;
}

/**
 * Looks up, or makes up for, the acceptance of those transcripts whose rows lack it. May make manifests, where upload
 * events are accepted only now, and nothing else. Throws what is transient.
 */
export async function acceptMissing(
  deps: RoundDeps,
  ids: readonly string[],
  tenant?: string,
): Promise<Preparation> {
  const accepted: Accepted[] = [];
  const refusals = new Map<string, CodedError>();
  for (const transcript of await deps.database.read((tx) => findUnaccepted(tx, ids, tenant))) {
    try {
      accepted.push(await acceptAgain(deps, transcript));
    } catch (error) {
      const coded = toCodedError(error);
      if (coded.class !== 'caller') throw error;
      refusals.set(transcript.transcript_id, coded);
    }
  }
  return { accepted, refusals };
}

/** A job for an engine that has no consumers would wait for ever, without a word. */
async function withoutEngine(
  { engines }: RoundDeps,
  recordings: readonly Pick<Recording, 'transcript_id' | 'engine'>[],
): Promise<[string, CodedError][]> {
  const refusals: [string, CodedError][] = [];
  for (const { transcript_id, engine } of recordings) {
    if (await engines.hasEngine(engine)) continue;
    const error = new CodedError('conflict', `no engine named ${engine} is installed any more`);
    refusals.push([transcript_id, error]);
  }
  return refusals;
}

/** Gathers what sending these transcripts round again needs from outside of the database; see {@link acceptMissing}. */
export async function prepareRound(
  deps: RoundDeps,
  ids: readonly string[],
  tenant?: string,
): Promise<Preparation> {
  const { accepted, refusals } = await acceptMissing(deps, ids, tenant);
  const recordings = await deps.database.read((tx) => loadRecordings(tx, ids));
  const unmanned = await withoutEngine(deps, [...recordings, ...accepted]);
  return { accepted, refusals: new Map([...refusals, ...unmanned]) };
}
