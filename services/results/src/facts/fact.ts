import type { Accepted, Chunk, GaveUp, Split } from '@earshot/contracts';
import type { DeadLetter } from '../store/sql/dead-letters.ts';

interface Origin {
  readonly subject: string;
  /** Sequence in the stream. */
  readonly seq: number;
  readonly traceparent: string | undefined;
}

/** The data of each kind of fact that results acts on. */
export interface FactData {
  readonly accepted: Accepted;
  readonly split: Split;
  readonly chunk: Chunk;
  readonly gave_up: GaveUp;
}
export type FactKind = keyof FactData;

type FactOf<Kind extends FactKind> = Origin & {
  /** When it happened, as whoever published it says. */
  readonly time: Date;
  readonly kind: Kind;
  readonly data: FactData[Kind];
  /** The message as it came. */
  readonly bytes: Uint8Array;
};

/** A message that was read and checked. */
export type ReadableFact = { [Kind in FactKind]: FactOf<Kind> }[FactKind];

/** A message that nobody can read; it is kept, and its place in the plan counts as given up. */
export type UnreadableFact = Origin & { readonly kind: 'unreadable'; readonly letter: DeadLetter };

/** A message of the stream TRANSCRIPTS that results acts on. */
export type Fact = ReadableFact | UnreadableFact;

/** The transcript a fact is about; undefined when not even its subject tells. */
export function addressOf(fact: Fact): { id: string; tenant_id: string } | undefined {
  const { transcript_id: id, tenant_id } = fact.kind === 'unreadable' ? fact.letter : fact.data;
  return id !== null && tenant_id !== null ? { id, tenant_id } : undefined;
}
