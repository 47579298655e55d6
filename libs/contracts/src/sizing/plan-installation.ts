import { SIZES, type Size, type SizeName, WORK } from './sizes.ts';

/** From … to; null where there is no upper end. */
export interface Range {
  readonly min: number;
  readonly max: number | null;
}

/** What an installation for a number of users is made of. */
export interface InstallationPlan {
  readonly users: number;
  readonly size: SizeName;
  readonly instances: Range;
  readonly concurrency: Range;
  /** Recordings in work at once over all instances. */
  readonly in_work: Range;
  /** Recordings an hour: the slowest of the smallest, the fastest of the largest. */
  readonly per_hour: Range;
  /** What the work of one instance needs at most, and what the instance is given. */
  readonly memory_mb: { readonly needed: number; readonly given: number };
  readonly cpu: number;
  /** How the figures come about, one line each. */
  readonly arithmetic: readonly string[];
}

/** The size for `users`, with its figures and how they come about. Pure; throws below 1 user. */
export function planInstallation(users: number): InstallationPlan {
  if (!Number.isInteger(users) || users < 1) throw new RangeError('users is a whole number of at least 1');
  const size = SIZES.findLast((one) => users >= one.users) as Size;
  const { instances, concurrency } = size;
  const in_work = times(instances, concurrency);
  const per_hour = {
    min: Math.floor((in_work.min * 60) / WORK.minutes.max),
    max: in_work.max === null ? null : Math.floor((in_work.max * 60) / WORK.minutes.min),
  };
  const memory_mb = { needed: concurrency.max * WORK.memory_mb.max, given: size.memory_mb };
  const figures = { users, size: size.name, instances, concurrency, in_work, per_hour, memory_mb };
  return { ...figures, cpu: size.cpu, arithmetic: arithmeticOf(figures) };
}

/** A range as people write it: `4`, `2–3`, `10+`. */
export function rangeText({ min, max }: Range): string {
  if (max === null) return `${min}+`;
  return min === max ? `${min}` : `${min}–${max}`;
}

const times = (one: Range, other: Range): Range => ({
  min: one.min * other.min,
  max: one.max === null || other.max === null ? null : one.max * other.max,
});

function arithmeticOf(plan: Omit<InstallationPlan, 'cpu' | 'arithmetic'>): string[] {
  const { instances, concurrency, in_work, per_hour, memory_mb } = plan;
  const { minutes, memory_mb: each } = WORK;
  return [
    `${plan.users} users: ${plan.size} (${SIZES.map(({ name, users }) => `${name} from ${Math.max(1, users)}`).join(', ')})`,
    `in work: ${rangeText(instances)} instances × ${rangeText(concurrency)} = ${rangeText(in_work)} recordings at once`,
    `throughput: ${rangeText(in_work)} × 60 min ÷ ${rangeText(minutes)} min each = ${rangeText(per_hour)} recordings an hour`,
    `memory: ${concurrency.max} at once × ${each.max} MB = ${memory_mb.needed} MB needed of ${memory_mb.given} MB an instance`,
  ];
}
