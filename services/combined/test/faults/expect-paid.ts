import { expect } from 'vitest';
import type { PaidWork } from './paid-work.ts';

/** Every chunk has one paid call and its text, nothing is unclear, and both sides count the same minutes. */
export function expectPaidOnce(work: PaidWork, quota: number): void {
  expect(new Set(work.states)).toEqual(new Set(['completed']));
  expect(work.callsOf.size).toBe(work.chunks);
  expect([...work.callsOf].filter(([, calls]) => calls !== 1)).toEqual([]);
  expect(work.ledger.unclear).toBe(0);
  expect(work.ledger.tries - work.ledger.refused).toBe(work.chunks);
  expect(work.ledger.billedMs).toBe(work.vendorMs);
  expect(work.usageMs).toBe(work.vendorMs);
  expect(work.gaveUps).toBe(0);
  expect(work.peak).toBeLessThanOrEqual(quota);
}
