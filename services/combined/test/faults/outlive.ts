import { eventually } from '@earshot/testkit';
import type { FaultWorld } from './fault-world.ts';
import type { JobRun } from './job-runs.ts';

/** What came of an operation that ran longer than the workers that waited for it. */
export interface Outlived {
  readonly status: string;
  readonly killed: number;
  readonly paid: number;
  readonly attempts: number;
}

/** Kills every worker that waits for one slow operation, `kills` of them in turn; then it ends. */
export async function outliveWorkers(world: FaultWorld, kills: number): Promise<Outlived> {
  const { speech } = world;
  if (!speech) throw new Error('this world has no Speech-to-Text');
  const before = speech.bill().length;
  speech.behave({ operationMs: 600_000, faults: [] });
  const id = await world.submit({ seconds: 2 });
  await eventually('the paid call', () => speech.bill().length > before, 30_000);
  for (let killed = 0; killed < kills; killed += 1) {
    const run = await eventually('a worker that waits', () => waiting(world, id, killed), 60_000);
    const polls = () => speech.book().filter(({ kind }) => kind === 'get').length;
    const asked = polls();
    // It is at the operation, not on its way there.
    await eventually('a poll', () => polls() > asked, 30_000);
    await run.worker.kill();
    await world.startWorker();
  }
  await eventually('one more worker', () => waiting(world, id, kills), 60_000);
  speech.behave({ operationMs: 0 });
  const { status } = await world.finished(id);
  const runs = world.chunkRuns(({ transcript_id }) => transcript_id === id);
  return {
    status,
    killed: runs.filter(({ finishedAt }) => finishedAt === undefined).length,
    paid: speech.bill().length - before,
    attempts: Math.max(...runs.map(({ attempt }) => attempt)),
  };
}

/** The run after `others` that were killed. */
const waiting = (world: FaultWorld, id: string, others: number): JobRun | undefined =>
  world.chunkRuns(({ transcript_id }) => transcript_id === id)[others];
