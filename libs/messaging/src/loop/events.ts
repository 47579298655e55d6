import type { Settled } from './policy.ts';

/** What a loop tells for metrics and logs; callbacks must not throw. */
export interface LoopEvents {
  /** A message was taken into a slot; `waitMs` since the stream stored it. */
  taken?(message: { subject: string; delivery: number; waitMs: number }): void;
  settled?(message: { subject: string; delivery: number; settled: Settled; ms: number }): void;
  /** A first-wins message was published by somebody else before. */
  alreadyThere?(subject: string): void;
  /** A message came when no slot was free any more, and was handed back. */
  surplus?(subject: string): void;
}
