import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FaultWorld } from './fault-world.ts';
import { OUTAGES, type OutageReport, outage } from './outage.ts';

// Behaviour, on whatever machine: the figures are those of `npm run test:chaos`.
const AWAY_MS = 4_000;
let world: FaultWorld;

beforeAll(async () => {
  world = await FaultWorld.start({ workers: 2 });
});
afterAll(() => world?.close());

/** Whatever is away: everybody gets an answer, in time and with a code, and nothing is lost. */
function expectNothingLost({ door, reads, readiness, normalMs, states, restarted }: OutageReport): void {
  for (const { status, retryAfter, body, ms } of [...door, ...reads]) {
    expect(`${status} ${body.code} ${ms > 15_000 ? `after ${ms} ms` : ''}`).toMatch(/^(20[02] |503 \w+ $)/);
    if (status === 503) expect(retryAfter).toMatch(/^\d+$/);
  }
  expect(readiness.every(({ status }) => status === 200)).toBe(true);
  expect(new Set(states)).toEqual(new Set(['completed']));
  expect(restarted).toEqual([]);
  expect(normalMs).toBeLessThan(30_000);
}

const refused = (knocks: OutageReport['door']) => knocks.filter(({ status }) => status === 503).length;

/** What `/readyz` said was wrong. */
const reasons = ({ readiness }: OutageReport) =>
  new Set(
    readiness.flatMap(({ body }) =>
      Object.entries(body.checks ?? {}).flatMap(([name, { ok, error }]) => (ok || !error ? [] : [name])),
    ),
  );

describe('while something is away nothing is lost, callers are told, and all goes on by itself', () => {
  it('PostgreSQL', async () => {
    const report = await outage(world, OUTAGES.database, AWAY_MS);
    expectNothingLost(report);
    expect(refused(report.reads)).toBeGreaterThan(0);
    expect(refused(report.door)).toBe(0);
    expect(reasons(report)).toEqual(new Set(['database']));
  });

  it('NATS', async () => {
    const report = await outage(world, OUTAGES.nats, AWAY_MS);
    expectNothingLost(report);
    expect(refused(report.door)).toBeGreaterThan(0);
    expect(reasons(report)).toEqual(new Set(['nats']));
  });

  it('the store of recordings', async () => {
    const report = await outage(world, OUTAGES.storage, AWAY_MS);
    expectNothingLost(report);
    expect(refused(report.door)).toBeGreaterThan(0);
    expect(reasons(report)).toEqual(new Set(['storage']));
  });
});
