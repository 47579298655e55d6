import { join } from 'node:path';
import { smallDisk } from '@earshot/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectHealed, unless } from './expect-full.ts';
import { FaultWorld } from './fault-world.ts';
import { accountOf } from './fill-broker.ts';
import { type FullStore, fullStore } from './full-store.ts';

const MB = 1024 * 1024;
const [recordings, database] = [await smallDisk(12), await smallDisk(160)];
let world: FaultWorld;

beforeAll(async () => {
  world = await FaultWorld.start({
    workers: 2,
    broker: { maxFile: 24 * MB },
    storage: recordings && join(recordings.path, 'recordings'),
    databaseFolder: database?.path,
  });
});
afterAll(async () => {
  await world?.close();
  await Promise.all([recordings?.remove(), database?.remove()]);
});

const KNOCKS = 4;
const fill = (store: FullStore) => fullStore(world, store, KNOCKS);

describe('what is full says so, loses nothing and goes on once there is room', () => {
  it('NATS at its max_file', async () => {
    const report = await fill(accountOf(world));
    expectHealed(report);
    for (const { status, body } of report.door) expect([status, body.code]).toEqual([503, 'storage_full']);
  });

  it(`the volume of recordings${unless(recordings)}`, async () => {
    if (!recordings) return;
    const report = await fill(recordings);
    expectHealed(report);
    for (const { status, body } of report.door) expect([status, body.code]).toEqual([503, 'storage_full']);
  });

  it(`the volume of PostgreSQL${unless(database)}`, async () => {
    if (!database) return;
    const report = await fill(database);
    expectHealed(report);
    for (const { status } of [...report.door, ...report.reads]) expect([200, 202]).toContain(status);
    const complaints = world.results.lines.filter(({ detail }) =>
      /volume of the database is full/.test(String(detail)),
    );
    expect(complaints).not.toEqual([]);
  });
});
