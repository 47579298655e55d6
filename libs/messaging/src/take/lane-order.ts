/**
 * The lanes of sweep number `n` (from 1): first to last, every 4th time the second one first, every 8th time the last
 * one first, so that no lane starves under a backlog of the others.
 */
export function laneOrder<T>(lanes: readonly T[], n: number): readonly T[] {
  const favoured = n % 8 === 0 ? lanes.length - 1 : n % 4 === 0 ? Math.min(1, lanes.length - 1) : 0;
  const first = lanes[favoured];
  return first === undefined ? [] : [first, ...lanes.filter((_, index) => index !== favoured)];
}
