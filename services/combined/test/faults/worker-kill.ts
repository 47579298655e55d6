import { setTimeout as pause } from 'node:timers/promises';
import type { SeededRandom } from '@earshot/testkit';
import type { FaultWorld } from './fault-world.ts';
import type { JobRun } from './job-runs.ts';

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
  await world.cloud.behave({ answer_ms: ackWaitMs / 3 + 5_000 });
  const chains = Array.from({ length: recordings }, () => killAgainAndAgain(world, options));
  const seen = await Promise.all(chains);
  const transcripts = seen.flatMap(({ ids }) => ids);
  await Promise.all(transcripts.map((id) => world.finished(id, 120_000)));
  const calls = (await world.cloud.log()).slice(before);
  return {
    times: seen.flatMap(({ times }) => times),
    transcripts,
    redone: calls.length - new Set(calls.map(({ key }) => key)).size,
    runsOfOthers: transcripts.map((id) => world.chunkRuns(chunkOf(id, 0)).length),
  };
}

const chunkOf = (id: string, n: number) => (run: JobRun) => run.transcript_id === id && run.n === n;

async function killAgainAndAgain(
  world: FaultWorld,
  { killsEach, ackWaitMs, random }: WorkerKillOptions,
): Promise<{ ids: string[]; times: number[] }> {
  const ids: string[] = [];
  const times: number[] = [];
  for (let run: JobRun | undefined; times.length < killsEach; ) {
    run ??= await startChunk(world, ids);
    await pause(200 + random.below(ackWaitMs / 3));
    const current = world.chunkRuns(chunkOf(run.transcript_id, 1)).at(-1) ?? run;
    run = undefined;
    // On a busy machine the chunk may be finished by now: another recording takes its place.
    if (current.finishedAt !== undefined) continue;
    const killedAt = Date.now();
    await current.worker.kill();
    const replacement = world.startWorker();
    run = await nextRun(world, current, 3 * ackWaitMs + 30_000);
    times.push(run.startedAt - killedAt);
    await replacement;
  }
  return { ids, times };
}

async function startChunk(world: FaultWorld, ids: string[]): Promise<JobRun> {
  const id = await world.submit({ seconds: SECONDS });
  ids.push(id);
  return world.run(`the second chunk of ${id}`, chunkOf(id, 1));
}

function nextRun(
  world: FaultWorld,
  { worker, delivery, transcript_id }: JobRun,
  timeoutMs: number,
): Promise<JobRun> {
  const next = (run: JobRun) =>
    chunkOf(transcript_id, 1)(run) && run.delivery > delivery && run.worker !== worker;
  return world.run(`${transcript_id} to run elsewhere`, next, timeoutMs);
}
