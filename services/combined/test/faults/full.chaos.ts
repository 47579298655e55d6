import { join } from 'node:path';
import { smallDisk } from '@earshot/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { measured, size } from './chaos-run.ts';
import { expectHealed, unless } from './expect-full.ts';
import { FaultWorld } from './fault-world.ts';
import { accountOf } from './fill-broker.ts';
import { fullStore } from './full-store.ts';

const KNOCKS = size(10, 60);
const recordings = await smallDisk(12);
const database = await smallDisk(200);
let world: FaultWorld;
beforeAll(async () => {
  world = await FaultWorld.start({
    workers: 2,
    ackWaitSeconds: 15,
    broker: { maxFile: 32 * 1024 * 1024 },
    storage: recordings && join(recordings.path, 'recordings'),
    databaseFolder: database?.path,
  });
});
afterAll(async () => {
  await world?.close();
  await Promise.all([recordings?.remove(), database?.remove()]);
});

describe('a full store: a clear error, never a hang; it heals by itself', () => {
  it.for([
    { what: 'NATS at its max_file', store: () => accountOf(world) },
    { what: `recordings' volume full${unless(recordings)}`, store: () => recordings },
    { what: `PostgreSQL's volume full${unless(database)}`, store: () => database },
  ])('$what', async ({ what, store }, context) => {
    const full = store();
    if (!full) return;
    const report = await fullStore(world, full, KNOCKS);
    const answers = [...report.door, ...report.reads].map(({ ms }) => ms);
    measured(context, `${what}: answers at the doors`, 'none hangs', answers);
    measured(context, `${what}: room to all finished`, 'heals', [report.drainedMs]);
    expectHealed(report);
    expect(report.reads.every(({ status }) => status === 200)).toBe(true);
  });
});
