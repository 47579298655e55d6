/**
 * The lanes of a sweep, the `n`th (from 1) in a row that some lane was not asked in: first to last, every 4th time the
 * second one first, every 8th time the last one first, so that no lane starves under a backlog of the others. While all
 * are asked the first one always comes first.
 */
export function laneOrder<T>(lanes: readonly T[], n: number): readonly T[] {
  const favoured = n % 8 === 0 ? lanes.length - 1 : n % 4 === 0 ? Math.min(1, lanes.length - 1) : 0;
  const first = lanes[favoured];
  return first === undefined ? [] : [first, ...lanes.filter((_, index) => index !== favoured)];
}
