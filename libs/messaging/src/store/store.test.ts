import { beforeAll, describe, expect, it } from 'vitest';
import { aChunkJob, chunkResult, eventually, testTopology, useBroker } from '../../test/support.ts';
import { startFactLoop } from '../loop/fact-loop.ts';
import { applyTopology } from '../topology/apply.ts';
import { findStream } from '../topology/lookup.ts';
import { accountStoreBytes } from './account.ts';
import { makeRoom } from './make-room.ts';
import { storeUsage } from './usage.ts';

describe('the store', () => {
  const { broker, log } = useBroker({ maxFile: 20 * 1024 * 1024 });
  beforeAll(() => applyTopology(broker(), testTopology(['fake'], { storeBytes: 20 * 1024 * 1024 })));

  const facts = async () => (await findStream(broker().api, 'TRANSCRIPTS'))?.state;
  const options = { stream: 'TRANSCRIPTS', durable: 'results', threshold: 0.5, bytes: 40_000 };

  it('reports the budget the account sets', async () => {
    expect(await accountStoreBytes(broker())).toBe(20 * 1024 * 1024);
  });

  it('makes no room by removing what nobody acknowledged', async () => {
    for (let n = 0; n < 100; n += 1) await broker().publisher.publish(chunkResult(aChunkJob()));
    expect((await facts())?.bytes).toBeGreaterThan(40_000);
    expect(await makeRoom(broker(), options)).toBe(0);
  });

  it('makes room by removing the oldest acknowledged, down below the threshold and no further', async () => {
    let seen = 0;
    const loop = startFactLoop({
      broker: broker(),
      log,
      handle: async (batch) => {
        seen += batch.length;
      },
    });
    await eventually('all facts', () => seen === 100);
    await loop.stop();
    const newest = (await facts())?.last_seq;
    const removed = await eventually('room', () => makeRoom(broker(), options));
    expect(removed).toBeGreaterThan(50);
    const state = await facts();
    expect(state?.bytes).toBeLessThan(20_000);
    expect(state?.messages).toBe(100 - removed);
    expect(state?.last_seq).toBe(newest);
    expect(await makeRoom(broker(), options)).toBe(0);
  });

  it('tells the fullest budget, a second late at most', async () => {
    const before = await storeUsage(broker());
    expect(before.budgets.map(({ name }) => name)).toEqual(['account', 'UPLOADS', 'TRANSCRIPTS']);
    expect(await storeUsage(broker())).toBe(before);
    const upload = (index: number) =>
      broker().requests.request(`uploads.t${index}`, 'x'.repeat(200_000), { timeoutMs: 5_000 });
    for (let index = 0; index < 9; index += 1) await upload(index);
    const usage = await eventually('the new figure', async () => {
      const now = await storeUsage(broker());
      return now.ratio > 0.8 && now;
    });
    expect(usage.budgets.find(({ name }) => name === 'UPLOADS')?.bytes).toBeGreaterThan(1_800_000);
  });
});
