import { chunkJobSubject, STREAMS, splitJob, splitJobSubject } from '@earshot/contracts';
import { beforeAll, describe, expect, it } from 'vitest';
import { aChunkJob, jobMessage, testTopology, useBroker } from '../../test/support.ts';
import { purge } from '../store/make-room.ts';
import { applyTopology } from '../topology/apply.ts';
import { factPosition } from './fact-position.ts';

describe('the job directory', () => {
  const { broker } = useBroker();

  it('cannot tell without the stream: a job must not be called missing for that', async () => {
    await expect(broker().jobs.jobsOf('default', 'x')).rejects.toMatchObject({ code: 'unavailable' });
    expect(await factPosition(broker())).toBeUndefined();
  });

  describe('with it', () => {
    beforeAll(() => applyTopology(broker(), testTopology(['fake'])));

    it('knows what waits and what is scheduled, of all engines and lanes, and of nobody else', async () => {
      const one = aChunkJob();
      const later = { ...one, n: 1, engine: 'other', lane: 'high' as const };
      const { tenant_id, transcript_id, plan, generation, attempt, engine, lane, channels } = one;
      const split = splitJob.create(
        {
          ...{ tenant_id, transcript_id, plan, generation, attempt, engine, lane, channels },
          key: 'default/a.wav',
          accepted_at: new Date().toISOString(),
        },
        { source: 'test' },
      );
      await broker().publisher.publish(jobMessage(one));
      await broker().publisher.publish(jobMessage(aChunkJob()));
      await broker().publisher.publish(jobMessage({ ...aChunkJob(), tenant_id: 'acme', transcript_id }));
      await broker().publisher.publish(split);
      await broker().publisher.publishLater(jobMessage(later), new Date(Date.now() + 60_000));
      const subjectOf = (job: typeof one) =>
        chunkJobSubject({ ...job, lane: job.lane, tenant: job.tenant_id, id: job.transcript_id });
      expect([...(await broker().jobs.jobsOf(tenant_id, transcript_id))].sort()).toEqual(
        [subjectOf(one), subjectOf(later), splitJobSubject(lane, tenant_id, transcript_id)].sort(),
      );
      await purge(broker(), { stream: STREAMS.jobs, subject: subjectOf(one) });
      expect(await broker().jobs.jobsOf(tenant_id, transcript_id)).not.toContain(subjectOf(one));
    });
  });
});
