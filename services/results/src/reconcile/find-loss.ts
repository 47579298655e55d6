/** What the broker shows of its streams, and what PostgreSQL remembers of them; sequences and Unix milliseconds. */
export interface StreamEvidence {
  /** Streams and consumers that should be there. */
  readonly missing: readonly string[];
  /** When each stream was made, as the broker says and as we saw it last. */
  readonly births: ReadonlyMap<string, number>;
  readonly knownBirths: ReadonlyMap<string, number>;
  readonly facts:
    | { readonly first_seq: number; readonly last_seq: number; readonly ack_floor: number }
    | undefined;
  /** The newest fact that was ever stored; undefined before the first. */
  readonly storedUpTo: number | undefined;
}

/** Why messages must be taken for lost, in words for the log; undefined when nothing says so. */
export function findLoss(evidence: StreamEvidence): string | undefined {
  const { missing, births, knownBirths, facts, storedUpTo } = evidence;
  if (missing.length > 0) return `missing: ${missing.join(', ')}`;
  const remade = [...births].filter(([name, at]) => (knownBirths.get(name) ?? at) !== at);
  if (remade.length > 0) return `re-made: ${remade.map(([name]) => name).join(', ')}`;
  if (!facts) return undefined;
  if (storedUpTo !== undefined && facts.last_seq < storedUpTo) {
    return `facts end at ${facts.last_seq}, but ${storedUpTo} was stored before`;
  }
  if (facts.first_seq > facts.ack_floor + 1) {
    return `facts begin at ${facts.first_seq}, but only those up to ${facts.ack_floor} were read`;
  }
  return undefined;
}
