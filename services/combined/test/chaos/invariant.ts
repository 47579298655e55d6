import type { History } from './history.ts';

/** What must hold in every history; each returns what contradicts it, in words. */
export interface Invariant {
  readonly name: string;
  readonly says: string;
  check(history: History): string[];
}

/** Items by what `keyOf` says of them, in their order. */
export const groups = <T>(items: readonly T[], keyOf: (item: T) => string): Map<string, T[]> => {
  const found = new Map<string, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = found.get(key);
    if (group) group.push(item);
    else found.set(key, [item]);
  }
  return found;
};

/** Whether the store was lost in that time: facts went with the store, so what they told of may be done again. */
export const lostStore = ({ disturbances }: History, from: number, to: number) =>
  disturbances.some((one) => one.thing === 'store' && one.from <= to && one.to >= from);
