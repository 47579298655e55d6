import type { SmallDisk } from '@earshot/testkit';
import { expect } from 'vitest';
import type { FullReport } from './full-store.ts';

/** Put into the names of tests that cannot fill a disk where they run. */
export const unless = (disk: SmallDisk | undefined) =>
  disk ? '' : ' (NOT CHECKED HERE: mounting a small disk takes root)';

/** Everybody gets an answer in time; nothing that was accepted is lost or given up, and all goes on by itself. */
export function expectHealed({ door, reads, states, attempts, gaveUps, restarted }: FullReport): void {
  for (const { status, body, ms } of [...door, ...reads])
    expect(`${status} ${body.code} ${ms > 15_000 ? `after ${ms} ms` : ''}`).toMatch(/^(20[02] |503 \w+ $)/);
  expect(new Set(states)).toEqual(new Set(['completed']));
  expect(attempts).toBe(1);
  expect(gaveUps).toBe(0);
  expect(restarted).toEqual([]);
}
