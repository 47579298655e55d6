import { jobLanes } from '@earshot/contracts';
import { beforeAll, describe, expect, it } from 'vitest';
import { aChunkJob, jobMessage, testTopology, useBroker } from '../../test/support.ts';
import { applyTopology } from '../topology/apply.ts';
import { type OldestJobs, oldestJobs } from './oldest-jobs.ts';

describe('the oldest jobs', () => {
  const { broker } = useBroker();
  const lanes = jobLanes({ engines: ['fake'], maxAckPending: {} });
  const NORMAL = 'chunk-fake-normal';
  const LOW = 'chunk-fake-low';
  const remove = (seq = 0) => broker().api.call('STREAM.MSG.DELETE.JOBS', { seq });
  const seqs = (jobs: OldestJobs) =>
    Object.fromEntries([...jobs].map(([durable, { seq }]) => [durable, seq]));
  const look = (before?: OldestJobs) => oldestJobs(broker(), lanes, before);
  const publish = (lane: 'normal' | 'low') => broker().publisher.publish(jobMessage(aChunkJob({ lane })));

  beforeAll(() => applyTopology(broker(), testTopology(['fake'])));

  it('are none while all lanes are empty', async () => {
    expect(seqs(await look())).toEqual({});
  });

  it('are those of each lane, and the same with and without the answer of the last time, whatever goes', async () => {
    const before = Date.now();
    for (const lane of ['normal', 'normal', 'low', 'normal', 'low'] as const) await publish(lane);
    let jobs = await look();
    const first = jobs.get(NORMAL)?.seq ?? 0;
    expect(jobs.get(NORMAL)?.at.getTime()).toBeGreaterThanOrEqual(before - 1_000);
    // Gone from the front, from the middle, and the last of a lane.
    const steps = [
      { gone: first, left: { [NORMAL]: first + 1, [LOW]: first + 2 } },
      { gone: first + 2, left: { [NORMAL]: first + 1, [LOW]: first + 4 } },
      { gone: first + 1, left: { [NORMAL]: first + 3, [LOW]: first + 4 } },
      { gone: first + 3, left: { [LOW]: first + 4 } },
    ];
    for (const { gone, left } of steps) {
      await remove(gone);
      jobs = await look(jobs);
      expect(seqs(jobs)).toEqual(left);
      expect(seqs(await look())).toEqual(left);
    }
    await publish('normal');
    expect(seqs(await look(jobs))).toEqual({ [NORMAL]: first + 5, [LOW]: first + 4 });
  });
});
