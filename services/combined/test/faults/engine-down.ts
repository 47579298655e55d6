import { setTimeout as pause } from 'node:timers/promises';
import { eventually } from '@earshot/testkit';
import type { FaultWorld } from './fault-world.ts';

/** What was seen of an engine that went away and came back. */
export interface EngineDown {
  /** Milliseconds from its return to the start of the first job that then succeeded. */
  readonly resumedMs: number;
  /** Highest attempt of any run. */
  readonly attempts: number;
  /** Facts that say that somebody gave up. */
  readonly gaveUps: number;
  /** Final states of the recordings that came before and during it. */
  readonly states: readonly string[];
}

/** The engine is away for `downMs` while `jobs` recordings are at work and as many more come. */
export async function engineDown(
  world: FaultWorld,
  { downMs, jobs }: { downMs: number; jobs: number },
): Promise<EngineDown> {
  await world.cloud.behave({ answer_ms: 1_000 });
  const before = await submitMany(world, jobs);
  await world.run('a chunk to be at work', (run) => before.includes(run.transcript_id));
  await world.cloud.behave({ down: true });
  const during = await submitMany(world, jobs);
  await pause(downMs);
  await world.cloud.behave({ down: false });
  const backAt = Date.now();
  const first = await eventually(
    'work to go on',
    () => world.chunkRuns(({ outcome, startedAt }) => outcome === 'done' && startedAt >= backAt)[0],
    120_000,
  );
  const ids = [...before, ...during];
  const finished = await Promise.all(ids.map((id) => world.finished(id, 120_000)));
  const runs = world.chunkRuns(({ transcript_id }) => ids.includes(transcript_id));
  return {
    resumedMs: first.startedAt - backAt,
    attempts: Math.max(...runs.map(({ attempt }) => attempt)),
    gaveUps: await world.gaveUps(),
    states: finished.map(({ status }) => status),
  };
}

const submitMany = (world: FaultWorld, count: number) =>
  Promise.all(Array.from({ length: count }, () => world.submit()));
