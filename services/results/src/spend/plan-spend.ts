import type { Spend } from '@earshot/contracts';

const DAY_MS = 86_400_000;

/** The UTC day of a moment: Unix milliseconds of its beginning and its end. */
export function dayOf(now: number): { readonly start: number; readonly end: number } {
  const start = Math.floor(now / DAY_MS) * DAY_MS;
  return { start, end: start + DAY_MS };
}

/** What is known of an engine from one view of the database. */
export interface SpendSight {
  readonly now: number;
  /** Charged since the day began, by tenant. */
  readonly billed: Readonly<Record<string, number>>;
  /** Reservations that stand for nothing any more. */
  readonly ended: ReadonlySet<string>;
}

/**
 * What the entry is to be. A price that is in `billed` is no longer reserved; calls that are under way at midnight are, in
 * the new day, because their price will be of that day. Pure.
 */
export function planSpend(before: Spend | undefined, { now, billed, ended }: SpendSight): Spend {
  const resets_at = new Date(dayOf(now).end).toISOString();
  const reserved = Object.entries(before?.reserved ?? {}).filter(([name]) => !ended.has(name));
  return {
    resets_at,
    billed: { ...billed },
    reserved: Object.fromEntries(reserved),
    refused: before?.resets_at === resets_at ? before.refused : [],
  };
}
