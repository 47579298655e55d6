/** A random source that gives the same numbers for the same seed. */
export interface SeededRandom {
  /** A whole number from 0 up to, not including, `below`. */
  below(below: number): number;
  /** One of `items`, which must not be empty. */
  pick<T>(items: readonly T[]): T;
  /** A copy in another order. */
  shuffled<T>(items: readonly T[]): T[];
}

/** mulberry32 (Tommy Ettinger, public domain): small, seeded and good enough to choose faults and orders. */
export function seededRandom(seed: number): SeededRandom {
  let state = seed | 0;
  const below = (limit: number) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % limit;
  };
  return {
    below,
    pick: (items) => items[below(items.length)] as (typeof items)[number],
    shuffled: (items) => {
      const result = [...items];
      for (let at = result.length - 1; at > 0; at -= 1) {
        const other = below(at + 1);
        [result[at], result[other]] = [
          result[other] as (typeof items)[number],
          result[at] as (typeof items)[number],
        ];
      }
      return result;
    },
  };
}
