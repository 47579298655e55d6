import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { measured, size } from './chaos-run.ts';
import { expectNothingLost, reasons, refused } from './expect-outage.ts';
import { FaultWorld } from './fault-world.ts';
import { OUTAGES, outage } from './outage.ts';

const MINUTE = size(12_000, 60_000);
let world: FaultWorld;
beforeAll(async () => {
  world = await FaultWorld.start({ workers: 2, ackWaitSeconds: 15 });
});
afterAll(() => world?.close());

describe('nothing lost, clear 503s, readiness says why, normal within 10 s of the return, no process wedged', () => {
  it.for([
    { what: 'PostgreSQL restarted', fault: 'database', awayMs: 0, check: 'database', door: 'reads' },
    { what: 'PostgreSQL killed', fault: 'database, killed', awayMs: 0, check: 'database', door: 'reads' },
    { what: 'PostgreSQL stopped', fault: 'database', awayMs: MINUTE, check: 'database', door: 'reads' },
    { what: 'NATS restarted', fault: 'nats', awayMs: 0, check: 'nats', door: 'door' },
    { what: 'NATS stopped', fault: 'nats', awayMs: MINUTE, check: 'nats', door: 'door' },
    { what: 'storage gone', fault: 'storage', awayMs: MINUTE, check: 'storage', door: 'door' },
  ] as const)('$what for $awayMs ms', async ({ what, fault, awayMs, check, door }, context) => {
    const report = await outage(world, OUTAGES[fault], awayMs);
    const away = awayMs === 0 ? '' : ` for ${awayMs / 1_000} s`;
    const { max } = measured(context, `${what}${away}: return to normal`, 'max ≤ 10 s', [report.normalMs]);
    const answers = [...report.door, ...report.reads].map(({ ms }) => ms);
    measured(context, `${what}${away}: answers at the doors`, 'none hangs', answers);
    expectNothingLost(report);
    expect(max).toBeLessThanOrEqual(10_000);
    if (awayMs === 0) return;
    expect(refused(report[door])).toBeGreaterThan(0);
    expect(reasons(report)).toEqual(new Set([check]));
  });
});
