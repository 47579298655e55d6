import { setTimeout as pause } from 'node:timers/promises';
import type { Transcript } from '@earshot/contracts';
import type { FaultWorld } from './fault-world.ts';
import type { WorkerProcess } from './worker-process.ts';

/** How a worker loses a job without dying. */
export const SILENCES = {
  /** The process stands still, as in a long pause of its machine. */
  stopped: {
    begin: (worker: WorkerProcess) => worker.signal('SIGSTOP'),
    end: (worker: WorkerProcess) => worker.signal('SIGCONT'),
  },
  /** It works on, but nothing reaches the broker, nor the other way, and no connection is seen to end. */
  partitioned: {
    begin: (worker: WorkerProcess) => worker.link.poison({ type: 'timeout' }),
    end: (worker: WorkerProcess) => worker.link.poison(),
  },
} as const;

/** What was left of two workers running one chunk. */
export interface TwoRunners {
  readonly runs: number;
  /** Facts about the transcript before the loser came back, and after it had its say. */
  readonly facts: readonly [number, number];
  readonly transcripts: readonly [Transcript, Transcript];
  /** Milliseconds from its return until it told that. */
  readonly toldMs: number;
  /** Times the loser told that the job was not its own any more. */
  readonly losses: number;
}

/** A worker falls silent for twice `ackWaitMs` in the middle of a chunk that takes one `ackWaitMs`. */
export async function twoRunners(
  world: FaultWorld,
  silence: keyof typeof SILENCES,
  ackWaitMs: number,
): Promise<TwoRunners> {
  await world.cloud.behave({ answer_ms: ackWaitMs });
  const id = await world.submit();
  const first = await world.run(`the chunk of ${id}`, (run) => run.transcript_id === id);
  const loser = first.worker;
  SILENCES[silence].begin(loser);
  await pause(2 * ackWaitMs);
  const before = await world.finished(id);
  const factsBefore = await world.facts(id);
  SILENCES[silence].end(loser);
  const backAt = Date.now();
  const told = await loser.logged('its loss', lossOf(id));
  await takesWorkAgain(world, loser);
  return {
    runs: world.chunkRuns((run) => run.transcript_id === id).length,
    facts: [factsBefore, await world.facts(id)],
    transcripts: [before, await world.transcript(id)],
    // One that is only cut off notices by its own clock, while it is away.
    toldMs: Math.max(0, told.at - backAt),
    losses: loser.lines.filter(lossOf(id)).length,
  };
}

/** A worker that lost a job is none the worse for it. */
async function takesWorkAgain(world: FaultWorld, worker: WorkerProcess): Promise<void> {
  await world.cloud.behave({ answer_ms: 500 });
  const since = Date.now();
  const anew = () => world.chunkRuns((run) => run.worker === worker && run.startedAt > since).length > 0;
  while (!anew()) {
    const ids = await Promise.all(world.workers.map(() => world.submit()));
    await Promise.all(ids.map((id) => world.finished(id)));
  }
}

const lossOf =
  (id: string) =>
  ({ msg, subject }: { msg: string; [field: string]: unknown }) =>
    /lease of a job was lost|result came second/.test(msg) && String(subject).includes(id);
