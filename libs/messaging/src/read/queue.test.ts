import { beforeAll, describe, expect, it } from 'vitest';
import { aChunkJob, jobMessage, testTopology, useBroker } from '../../test/support.ts';
import { applyTopology } from '../topology/apply.ts';
import { oldestJob, readQueue } from './queue.ts';

describe('the queue', () => {
  const { broker } = useBroker();
  const filter = 'jobs.chunk.fake.normal.>';
  const remove = (seq: number) => broker().api.call('STREAM.MSG.DELETE.JOBS', { seq });

  beforeAll(() => applyTopology(broker(), testTopology(['fake'])));

  it('has no oldest job while it is empty', async () => {
    expect(await oldestJob(broker(), filter)).toBeUndefined();
  });

  it('has the same oldest job with and without the answer of the last time, until the job is gone', async () => {
    const before = Date.now();
    for (let n = 0; n < 3; n += 1) await broker().publisher.publish(jobMessage(aChunkJob()));
    const first = await oldestJob(broker(), filter);
    expect(first?.at.getTime()).toBeGreaterThanOrEqual(before - 1_000);
    expect(await oldestJob(broker(), filter, first)).toEqual(first);
    await remove(first?.seq ?? 0);
    const second = await oldestJob(broker(), filter, first);
    expect(second?.seq).toBe((first?.seq ?? 0) + 1);
    expect(await oldestJob(broker(), filter)).toEqual(second);
    expect(await oldestJob(broker(), 'jobs.chunk.fake.low.>', first)).toBeUndefined();
  });

  it('counts scheduled jobs apart from those that consumers have', async () => {
    await broker().publisher.publishLater(jobMessage(aChunkJob()), new Date(Date.now() + 3_600_000));
    const { consumers, scheduled } = await readQueue(broker());
    expect(consumers.find(({ durable }) => durable === 'chunk-fake-normal')?.waiting).toBe(2);
    expect(scheduled).toBe(1);
  });
});
