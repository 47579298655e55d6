/** What a scenario measured, in milliseconds, and what it promised. */
export interface Figures {
  readonly scenario: string;
  readonly n: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
  /** What is promised, in words, e.g. `p50 ≤ 14 s, p99 ≤ 20 s`. */
  readonly limit: string;
}

/** The figures of measured times; p99 of fewer than 100 values is the largest but 1 %, so usually the largest. */
export function figuresOf(scenario: string, limit: string, times: readonly number[]): Figures {
  const sorted = [...times].sort((a, b) => a - b);
  const at = (part: number) =>
    Math.round(sorted[Math.max(0, Math.ceil(part * sorted.length) - 1)] ?? Number.NaN);
  return { scenario, n: sorted.length, p50: at(0.5), p99: at(0.99), max: at(1), limit };
}
