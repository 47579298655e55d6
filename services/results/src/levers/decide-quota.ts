/** What quota errors left of an engine's cap; times are Unix milliseconds. */
export interface Quota {
  /** Jobs in flight at most, over all lanes. */
  readonly effective: number;
  /** The latest end of a refusal that was seen. */
  readonly seenUntil: number;
  readonly loweredAt: number;
  /** When the cap was lowered or raised last. */
  readonly changedAt: number;
  /** Its lanes are paused until then; null: they are not. */
  readonly pausedUntil: number | null;
}

/** What is known of an engine at one moment. */
export interface QuotaSight {
  /** The cap that was asked for. */
  readonly asked: number;
  /** Until when the engine is not to be asked again, as the workers tell; undefined: nobody is refused. */
  readonly refusedUntil: number | undefined;
  readonly now: number;
}

/** One job in flight for each lane; below that a lane could not be served at all. */
export const LOWEST_CAP = 3;

/** Refusals of calls that were under way before a lower cap took effect do not lower it once more. */
const SETTLE_MS = 10_000;

/** A cap is raised after this long without a refusal, and again after as long. */
const QUIET_MS = 30_000;

/** Steps back to the asked cap: much smaller than the halves it came down by, so that it stays near what is allowed. */
const STEPS_UP = 10;

/**
 * Decides what is left of a cap: half of it at each new refusal, a pause at the lowest one, and step by step back when
 * it has been quiet. Undefined: all that was asked for. Pure; from the same state it goes on anywhere.
 */
export function decideQuota(quota: Quota | undefined, sight: QuotaSight): Quota | undefined {
  const { refusedUntil, now } = sight;
  if (refusedUntil !== undefined && refusedUntil > now) return refused(quota, refusedUntil, sight);
  if (quota === undefined) return undefined;
  const quietSince = Math.max(quota.seenUntil, quota.changedAt);
  return now - quietSince >= QUIET_MS ? raised(quota, sight) : quota;
}

function refused(quota: Quota | undefined, until: number, { asked, now }: QuotaSight): Quota {
  if (quota === undefined) return lowered(asked, until, now);
  const isNew = until > quota.seenUntil;
  if (isNew && now - quota.loweredAt >= SETTLE_MS)
    return lowered(Math.min(quota.effective, asked), until, now);
  return isNew ? { ...quota, seenUntil: until } : quota;
}

function lowered(from: number, until: number, now: number): Quota {
  const effective = Math.max(LOWEST_CAP, Math.floor(from / 2));
  const pausedUntil = from <= LOWEST_CAP ? until : null;
  return { effective, seenUntil: until, loweredAt: now, changedAt: now, pausedUntil };
}

function raised(quota: Quota, { asked, now }: QuotaSight): Quota | undefined {
  const effective = quota.effective + Math.ceil(asked / STEPS_UP);
  return effective >= asked ? undefined : { ...quota, effective, changedAt: now, pausedUntil: null };
}
