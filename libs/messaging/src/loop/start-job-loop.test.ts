import { type ChunkJob, DURABLES, LANES, type Lane } from '@earshot/contracts';
import { done, type JobHandler } from '@earshot/jobs';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  aChunkJob,
  chunkKind,
  chunkResult,
  eventually,
  factsOf,
  jobMessage,
  recordingLog,
  testTopology,
  useBroker,
} from '../../test/support.ts';
import { applyTopology } from '../topology/apply.ts';
import { type JobLoop, type JobLoopOptions, startJobLoop } from './start-job-loop.ts';

describe('job loop', () => {
  const { broker, log } = useBroker();
  beforeAll(() => applyTopology(broker(), testTopology(['fake'])));
  it('does a job', async () => {
    const durables = Object.fromEntries(LANES.map((lane) => [lane, DURABLES.chunk('fake', lane)])) as Record<
      Lane,
      string
    >;
    const loop = startJobLoop<ChunkJob>({
      broker: broker(),
      durables,
      slots: 2,
      kind: chunkKind,
      worker: 'w',
      log,
      settings: { ackWaitMs: 2000, guardMs: 300 },
      handler: async (job) => done(chunkResult(job.data)),
    });
    const job = aChunkJob();
    await broker().publisher.publishFirst(jobMessage(job));
    const fact = await eventually('fact', () => broker().facts.last(factsOf(job).chunk(1, 0)));
    console.log(fact, log.lines);
    await loop.stop({ graceMs: 1000 });
  });
});
