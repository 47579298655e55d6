import { beforeAll, describe, expect, it } from 'vitest';
import { aChunkJob, jobMessage, testTopology, useBroker } from '../../test/support.ts';
import { applyTopology } from '../topology/apply.ts';
import { readQueue } from './queue.ts';

describe('the queue', () => {
  const { broker } = useBroker();

  beforeAll(() => applyTopology(broker(), testTopology(['fake'])));

  it('counts scheduled jobs apart from those that consumers have', async () => {
    for (let n = 0; n < 2; n += 1) await broker().publisher.publish(jobMessage(aChunkJob()));
    await broker().publisher.publishLater(jobMessage(aChunkJob()), new Date(Date.now() + 3_600_000));
    const { consumers, scheduled } = await readQueue(broker());
    expect(consumers.find(({ durable }) => durable === 'chunk-fake-normal')?.waiting).toBe(2);
    expect(scheduled).toBe(1);
  });
});
