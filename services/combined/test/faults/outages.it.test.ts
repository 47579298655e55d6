import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectNothingLost, reasons, refused } from './expect-outage.ts';
import { FaultWorld } from './fault-world.ts';
import { OUTAGES, outage } from './outage.ts';

// Behaviour, on whatever machine: the figures are those of `npm run test:chaos`.
const AWAY_MS = 3_000;
let world: FaultWorld;

beforeAll(async () => {
  world = await FaultWorld.start({ workers: 2 });
});
afterAll(() => world?.close());

describe('while something is away nothing is lost, callers are told, and all goes on by itself', () => {
  it('PostgreSQL', async () => {
    const report = await outage(world, OUTAGES.database, AWAY_MS);
    expectNothingLost(report);
    expect(refused(report.reads)).toBeGreaterThan(0);
    expect(refused(report.door)).toBe(0);
    expect(reasons(report)).toEqual(new Set(['database']));
  });

  it('NATS', async () => {
    // Away for so short a time, it is waited for: uploads get their 202 late, and nobody has to come again.
    const report = await outage(world, OUTAGES.nats, AWAY_MS);
    expectNothingLost(report);
    expect(reasons(report)).toEqual(new Set(['nats']));
  });

  it('the store of recordings', async () => {
    const report = await outage(world, OUTAGES.storage, AWAY_MS);
    expectNothingLost(report);
    expect(refused(report.door)).toBeGreaterThan(0);
    expect(reasons(report)).toEqual(new Set(['storage']));
  });
});
