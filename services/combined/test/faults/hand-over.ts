import type { FaultWorld } from './fault-world.ts';
import type { ProcessEnd } from './service-process.ts';

/** What was seen when workers were asked to stop. */
export interface HandOvers {
  /** Milliseconds from each SIGTERM to the same job running elsewhere. */
  readonly times: readonly number[];
  readonly transcripts: readonly string[];
  readonly ends: readonly ProcessEnd[];
  /** How long after its SIGTERM each worker last asked for work; below 0 when it did not any more. */
  readonly lastPulls: readonly number[];
}

/** Longer than a worker waits for a chunk to end by itself before it hands it over. */
const CHUNK_MS = 6_000;

/** SIGTERM to `count` workers at work, all at once; the world has as many others that are free. */
export async function handOver(world: FaultWorld, count: number): Promise<HandOvers> {
  await world.cloud.behave({ answer_ms: CHUNK_MS });
  const transcripts = await Promise.all(Array.from({ length: count }, () => world.submit()));
  const seen = await Promise.all(transcripts.map((id) => stopWorkerOf(world, id)));
  await world.cloud.behave({ answer_ms: 0 });
  await Promise.all(transcripts.map((id) => world.finished(id)));
  return {
    times: seen.map(({ ms }) => ms),
    transcripts,
    ends: seen.map(({ end }) => end),
    lastPulls: seen.map(({ lastPull }) => lastPull),
  };
}

async function stopWorkerOf(world: FaultWorld, id: string) {
  const { worker } = await world.run(`the chunk of ${id}`, (run) => run.transcript_id === id);
  const signaledAt = Date.now();
  worker.signal('SIGTERM');
  const elsewhere = await world.run(
    `${id} to run elsewhere`,
    (run) => run.transcript_id === id && run.worker !== worker,
  );
  const end = await worker.ended;
  await world.startWorker();
  return { ms: elsewhere.startedAt - signaledAt, end, lastPull: (worker.pulls.at(-1) ?? 0) - signaledAt };
}
