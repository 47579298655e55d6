import { expect } from 'vitest';
import type { OutageReport } from './outage.ts';

/** Whatever is away: everybody gets an answer, in time and with a code, and nothing is lost. */
export function expectNothingLost({
  door,
  reads,
  readiness,
  normalMs,
  states,
  restarted,
}: OutageReport): void {
  for (const { status, retryAfter, body, ms } of [...door, ...reads]) {
    expect(`${status} ${body.code} ${ms > 15_000 ? `after ${ms} ms` : ''}`).toMatch(/^(20[02] |503 \w+ $)/);
    if (status === 503) expect(retryAfter).toMatch(/^\d+$/);
  }
  expect(readiness.every(({ status }) => status === 200)).toBe(true);
  expect(new Set(states)).toEqual(new Set(['completed']));
  expect(restarted).toEqual([]);
  expect(normalMs).toBeLessThan(30_000);
}

/** How many were sent away. */
export const refused = (knocks: OutageReport['door']) => knocks.filter(({ status }) => status === 503).length;

/** What `/readyz` said was wrong. */
export const reasons = ({ readiness }: OutageReport) =>
  new Set(
    readiness.flatMap(({ body }) =>
      Object.entries(body.checks ?? {}).flatMap(([name, { ok, error }]) => (ok || !error ? [] : [name])),
    ),
  );
