import { setTimeout as pause } from 'node:timers/promises';
import type { SeededRandom } from '@earshot/testkit';
import type { FaultWorld } from './fault-world.ts';

/** How many workers are killed, and when. */
export interface WorkerKillOptions {
  /** Recordings whose second chunk loses its worker again and again, side by side. */
  readonly recordings: number;
  readonly killsEach: number;
  readonly ackWaitMs: number;
  readonly random: SeededRandom;
}

/** What was seen while workers were killed. */
export interface WorkerKills {
  /** Milliseconds from each kill to the same job running elsewhere. */
  readonly times: readonly number[];
  readonly transcripts: readonly string[];
  /** Calls that the engine got beyond one for each chunk. */
  readonly redone: number;
  /** Runs of the chunks whose worker was never killed while it ran them. */
  readonly runsOfOthers: readonly number[];
}

/** Long enough for two chunks. */
const SECONDS = 7;

/**
 * kill -9 of the worker that runs a chunk, at any moment between two of its beats, until each recording has had its kills;
 * then everything finishes. The world has two workers for each recording, and gets a new one for each that dies.
 */
export async function killWorkers(world: FaultWorld, options: WorkerKillOptions): Promise<WorkerKills> {
  const { recordings, ackWaitMs } = options;
  const before = (await world.cloud.log()).length;
  await world.cloud.behave({ answer_ms: ackWaitMs / 3 + 4_000 });
  const transcripts = await Promise.all(
    Array.from({ length: recordings }, () => world.submit({ seconds: SECONDS })),
  );
  const times = (await Promise.all(transcripts.map((id) => killAgainAndAgain(world, id, options)))).flat();
  await Promise.all(transcripts.map((id) => world.finished(id, 120_000)));
  const calls = (await world.cloud.log()).slice(before);
  const runsOfOthers = transcripts.map(
    (id) => world.chunkRuns((run) => run.transcript_id === id && run.n === 0).length,
  );
  return {
    times,
    transcripts,
    redone: calls.length - new Set(calls.map(({ key }) => key)).size,
    runsOfOthers,
  };
}

async function killAgainAndAgain(
  world: FaultWorld,
  id: string,
  { killsEach, ackWaitMs, random }: WorkerKillOptions,
): Promise<number[]> {
  const ofSecondChunk = (run: { transcript_id: string; n: number }) =>
    run.transcript_id === id && run.n === 1;
  const times: number[] = [];
  let run = await world.run(`the second chunk of ${id}`, ofSecondChunk);
  for (let kill = 0; kill < killsEach; kill += 1) {
    await pause(200 + random.below(ackWaitMs / 3));
    const killedAt = Date.now();
    const { worker, delivery } = run;
    await worker.kill();
    const replacement = world.startWorker();
    run = await world.run(
      `${id} to run elsewhere`,
      (next) => ofSecondChunk(next) && next.delivery > delivery && next.worker !== worker,
      3 * ackWaitMs + 30_000,
    );
    times.push(run.startedAt - killedAt);
    await replacement;
  }
  return times;
}
